"""Cases of other segmentation systems, told in our words: the same people, the same question, what we answer.

`dittofeed.jsonl` and `pilosa.jsonl` hold one case a line, in the order of the collection that they come from. Only the
facts of a case are kept: who did or has what and when, what is asked at which instant, who is in.
"""
