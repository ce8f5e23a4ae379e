"""SegmentService: what a rule editor offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount_engine.errors import InvalidArgument
from headcount_engine.membership.templates import CATEGORIES
from headcount_server.context import Context
from headcount_server.services.asking import Stopwatch
from headcount_server.wire import elements as wire
from headcount_server.wire import messages
from headcount_server.wire.fields import page_size, stamp

if TYPE_CHECKING:
    from headcount_engine import Database


class Elements:
    def __init__(self, database: Database) -> None:
        self._database = database

    def templates(
        self, request: messages.ListTemplatesRequest, context: Context
    ) -> messages.ListTemplatesResponse:
        """All that there are fit on a page of 100; smaller pages are cut from the same order."""
        if request.category not in ("", *CATEGORIES):
            raise InvalidArgument(f"a category is one of {', '.join(CATEGORIES)}", path="category")
        start = _start(request.page_token)
        end = start + page_size(request.page_size)
        watch = Stopwatch()
        found = self._database.elements.templates(request.category, dict(request.arguments))
        answer = messages.ListTemplatesResponse(
            templates=[wire.template_of(instance) for instance in found[start:end]],
            next_page_token=str(end) if end < len(found) else "",
        )
        state = self._database.status()
        stamp(answer, state.version, state.now_us, watch.us)
        return answer

    def elements(
        self, request: messages.ListRuleElementsRequest, context: Context
    ) -> messages.ListRuleElementsResponse:
        category, size = wire.category_of(request.category), page_size(request.page_size)
        _start(request.page_token)
        context.deadline.check()
        watch = Stopwatch()
        page = self._database.elements.page(category, request.text, size, request.page_token)
        answer = messages.ListRuleElementsResponse(
            elements=[wire.element_of(element) for element in page.elements],
            next_page_token=page.next_page_token,
        )
        state = self._database.status()
        stamp(answer, state.version, state.now_us, watch.us)
        return answer


def _start(token: str) -> int:
    if token and not (token.isascii() and token.isdigit() and len(token) < 10):
        raise InvalidArgument("not a page token of this list", path="page_token")
    return int(token or 0)
