"""Templates of segments and elements of rules, as a rule editor is given them."""

from __future__ import annotations

from headcount_engine.errors import InvalidArgument
from headcount_engine.membership.templates import Instance
from headcount_engine.model.elements import Category, Element
from headcount_server.wire import messages
from headcount_server.wire.values import put_value, type_number

_NUMBERS = {
    Category.ATTRIBUTE: messages.RuleElementCategory.RULE_ELEMENT_CATEGORY_ATTRIBUTE,
    Category.EVENT: messages.RuleElementCategory.RULE_ELEMENT_CATEGORY_EVENT,
    Category.EVENT_PROPERTY: messages.RuleElementCategory.RULE_ELEMENT_CATEGORY_EVENT_PROPERTY,
    Category.TAG: messages.RuleElementCategory.RULE_ELEMENT_CATEGORY_TAG,
    Category.CHANNEL: messages.RuleElementCategory.RULE_ELEMENT_CATEGORY_CHANNEL,
    Category.CONSENT_TOPIC: messages.RuleElementCategory.RULE_ELEMENT_CATEGORY_CONSENT_TOPIC,
    Category.SEGMENT: messages.RuleElementCategory.RULE_ELEMENT_CATEGORY_SEGMENT,
    Category.PROFILE: messages.RuleElementCategory.RULE_ELEMENT_CATEGORY_PROFILE,
}
_CATEGORIES = {number: category for category, number in _NUMBERS.items()}


def category_of(number: messages.RuleElementCategory) -> Category | None:
    """None for all of them."""
    if number not in messages.RuleElementCategory.values():
        raise InvalidArgument("no such category", path="category")
    return _CATEGORIES.get(number)


def template_of(instance: Instance) -> messages.SegmentTemplate:
    template = instance.template
    return messages.SegmentTemplate(
        name=f"templates/{template.id}",
        display_name=template.name,
        description=template.description,
        category=template.category,
        rule_text=instance.rule,
        parameters=instance.open,
        choices=[
            messages.TemplateParameter(
                name=filled.place.name,
                description=filled.place.description,
                value=filled.value,
                candidates=filled.candidates,
            )
            for filled in instance.filled
        ],
    )


def element_of(element: Element) -> messages.RuleElement:
    made = messages.RuleElement(
        category=_NUMBERS[element.category],
        name=element.name,
        description=element.description,
        operators=element.operators,
        example=element.example,
        profile_count=element.profiles or 0,
    )
    if element.type is not None:
        made.type = type_number(element.type)
    for value in element.values:
        put_value(made.sample_values.add(), value)
    return made
