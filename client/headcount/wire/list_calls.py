"""Calls that import members, and that list templates and elements of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from headcount.errors import ServerError
from headcount.lists import (
    ElementCategory,
    ImportMode,
    ImportReceipt,
    RuleElement,
    Template,
    TemplatePlace,
)
from headcount.v1 import segment_service_pb2 as segments
from headcount.wire import decode, encode
from headcount.wire.calls import Page, Unary, path_of, request_id_or_new, unary
from headcount.wire.member_files import ImportRequests, MemberFile, opened

IMPORT_PATH = path_of("SegmentService", "ImportMembers")
_MODES = {
    ImportMode.APPEND: segments.IMPORT_MODE_APPEND,
    ImportMode.REPLACE: segments.IMPORT_MODE_REPLACE,
    ImportMode.REMOVE: segments.IMPORT_MODE_REMOVE,
}
_CATEGORIES = {
    ElementCategory.ATTRIBUTE: segments.RULE_ELEMENT_CATEGORY_ATTRIBUTE,
    ElementCategory.EVENT: segments.RULE_ELEMENT_CATEGORY_EVENT,
    ElementCategory.EVENT_PROPERTY: segments.RULE_ELEMENT_CATEGORY_EVENT_PROPERTY,
    ElementCategory.TAG: segments.RULE_ELEMENT_CATEGORY_TAG,
    ElementCategory.CHANNEL: segments.RULE_ELEMENT_CATEGORY_CHANNEL,
    ElementCategory.CONSENT_TOPIC: segments.RULE_ELEMENT_CATEGORY_CONSENT_TOPIC,
    ElementCategory.SEGMENT: segments.RULE_ELEMENT_CATEGORY_SEGMENT,
    ElementCategory.PROFILE: segments.RULE_ELEMENT_CATEGORY_PROFILE,
}
_CATEGORY_OF = {number: category for category, number in _CATEGORIES.items()}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a file holds. `column` "" is the first; without a header it is a number from 1."""

    segment_id: str
    mode: ImportMode | str
    column: str = ""
    identifier_type: str = ""
    delimiter: str = ""
    has_header: bool = True
    request_id: str | None = None


def import_requests(options: ImportOptions, file: MemberFile) -> ImportRequests:
    """The messages of an import, the file in pieces. Raises InvalidArgument for a file that cannot be opened."""
    said = segments.ImportMembersOptions(
        name=encode.segment_name(options.segment_id),
        mode=_MODES[encode.one_of(ImportMode, options.mode, "mode")],
        column=options.column,
        identifier_type=options.identifier_type,
        delimiter=options.delimiter,
        has_no_header=not options.has_header,
        request_id=request_id_or_new(options.request_id),
    )
    first = segments.ImportMembersRequest(options=said).SerializeToString()
    return ImportRequests(first, opened(file))


def read_import(data: bytes) -> ImportReceipt:
    try:
        answer = segments.ImportMembersResponse.FromString(data)
    except DecodeError as error:
        raise ServerError("the answer cannot be read", reason="MALFORMED_ANSWER") from error
    return ImportReceipt(
        version=answer.version,
        now=decode.instant(answer.now),
        engine_us=answer.engine_us,
        rows=answer.rows,
        joined=answer.joined,
        left=answer.left,
        size=answer.size,
        unknown=answer.unknown_count,
        duplicates=answer.duplicate_count,
        malformed=answer.malformed_count,
        rejected_rows=decode.rejected(answer.rejected_rows),
    )


def list_templates(
    category: str, arguments: Mapping[str, str], page_size: int, token: str
) -> Unary[Page[Template]]:
    request = segments.ListTemplatesRequest(
        category=category, arguments=arguments, page_size=encode.page_size(page_size), page_token=token
    )

    def page(answer: segments.ListTemplatesResponse) -> Page[Template]:
        return Page([_template(found) for found in answer.templates], answer.next_page_token)

    return unary("SegmentService", "ListTemplates", request, segments.ListTemplatesResponse, page)


def _template(found: segments.SegmentTemplate) -> Template:
    return Template(
        id=found.name.removeprefix("templates/"),
        display_name=found.display_name,
        description=found.description,
        category=found.category,
        rule=found.rule_text,
        open=tuple(found.parameters),
        places=tuple(
            TemplatePlace(p.name, p.description, p.value, tuple(p.candidates)) for p in found.choices
        ),
    )


def list_rule_elements(
    category: ElementCategory | None, text: str, page_size: int, token: str
) -> Unary[Page[RuleElement]]:
    request = segments.ListRuleElementsRequest(
        category=(
            segments.RULE_ELEMENT_CATEGORY_UNSPECIFIED
            if category is None
            else _CATEGORIES[encode.one_of(ElementCategory, category, "category")]
        ),
        text=text,
        page_size=encode.page_size(page_size),
        page_token=token,
    )

    def page(answer: segments.ListRuleElementsResponse) -> Page[RuleElement]:
        return Page([_element(found) for found in answer.elements], answer.next_page_token)

    return unary("SegmentService", "ListRuleElements", request, segments.ListRuleElementsResponse, page)


def _element(found: segments.RuleElement) -> RuleElement:
    return RuleElement(
        category=_CATEGORY_OF.get(found.category, ElementCategory.PROFILE),
        name=found.name,
        description=found.description,
        type=decode.TYPE_NAMES.get(found.type, "decimal" if found.type else ""),
        operators=tuple(found.operators),
        example=found.example,
        profile_count=found.profile_count,
        sample_values=tuple(decode.cell(value) for value in found.sample_values),
    )
