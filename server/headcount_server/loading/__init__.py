"""Files into columnar batches, and batches onto the wire.

A file is read in chunks (`csv_files`, `parquet_files`, `json_files`). Its first 10,000 rows decide what each column
holds (`inference`, `plan`); every chunk becomes typed columns, with the rows that do not fit set apart (`texts`,
`typed`, `batches`); what is left travels as messages of a few megabytes (`packing`, `sending`). Nothing here touches a
row at a time, except rows that something is wrong with.
"""
