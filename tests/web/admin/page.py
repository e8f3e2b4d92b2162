"""A page as a person with a keyboard, a screen reader or no scripts meets it, and what is wrong with it for them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
TYPED = frozenset({"input", "select", "textarea"})
NAMELESS = frozenset({"hidden", "submit", "button"})


@dataclass
class Element:
    """`text` is all that stands inside, markup left out."""

    tag: str
    attributes: dict[str, str]
    inside: list["Element"]
    text: str = ""

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")

    def within(self, tag: str) -> "Element | None":
        return next((one for one in reversed(self.inside) if one.tag == tag), None)


@dataclass
class Page(HTMLParser):
    """The elements of a page in their order. `html` as it came."""

    html: str
    elements: list[Element] = field(default_factory=list[Element])

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, list(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return [one for one in self.elements if one.tag in tags]

    def form(self, action: str) -> dict[str, str]:
        """What the browser would send of the form that goes there, as it stands when the page is opened."""
        form = next(one for one in self.all("form") if one.get("action") == action)
        fields = [one for one in self.all("input", "select", "textarea") if form in one.inside and one.get("name")]
        return {one.get("name"): self._value(one) for one in fields if _sent(one)}

    def _value(self, field: Element) -> str:
        if field.tag != "select":
            return field.get("value") if field.tag == "input" else field.text
        options = [one for one in self.all("option") if field in one.inside]
        chosen = [one for one in options if "selected" in one.attributes] or options[:1]
        return chosen[0].attributes.get("value", chosen[0].text) if chosen else ""

    def facts(self) -> dict[str, str]:
        """What stands in lists of facts: each name with its value."""
        names, found = self.all("dt", "dd"), dict[str, str]()
        for name, value in pairwise(names):
            if (name.tag, value.tag) == ("dt", "dd"):
                found[name.text.strip()] = value.text.replace("\N{NO-BREAK SPACE}", " ").strip()
        return found

    @property
    def links(self) -> list[str]:
        return [one.get("href") for one in self.all("a")]

    @property
    def text(self) -> str:
        return " ".join(one.text for one in self.all("body")).replace("\N{NO-BREAK SPACE}", " ")

    def faults(self) -> list[str]:
        """What a checker of accessibility and the Content-Security-Policy would refuse."""
        return [*self._frame(), *self._fields(), *self._names(), *self._inline()]

    def _frame(self) -> Iterator[str]:
        if not self.all("html")[0].get("lang"):
            yield "no language"
        if len(self.all("h1")) != 1:
            yield f"{len(self.all('h1'))} first headings"
        if not self.all("title")[0].text.strip() or len(self.all("main")) != 1:
            yield "no title or no main part"
        for name, times in Counter(one.get("id") for one in self.elements if one.get("id")).items():
            if times > 1:
                yield f"{times} elements are called {name}"

    def _fields(self) -> Iterator[str]:
        named = {one.get("for") for one in self.all("label")}
        for one in self.all(*TYPED):
            if one.get("type") in NAMELESS:
                continue
            if not (one.get("id") in named or one.within("label") or one.get("aria-label")):
                yield f"{one.tag} {one.get('name')} has no label"
            described = one.get("aria-describedby")
            if described and described not in {other.get("id") for other in self.elements}:
                yield f"{one.get('name')} is described by {described}, which is not there"
        for form in self.all("form"):
            inside = {one.get("name"): one.get("value") for one in self.all("input") if form in one.inside}
            if form.get("method") == "post" and not inside.get("mark"):
                yield f"the form to {form.get('action')} has no mark"

    def _names(self) -> Iterator[str]:
        ids = {one.get("id") for one in self.elements}
        for one in self.all("a", "button", "summary"):
            if not (one.text.strip() or one.get("aria-label")):
                yield f"a {one.tag} without a name"
        for one in self.all("img", "svg", "progress"):
            if "alt" not in one.attributes and not one.get("aria-label"):
                yield f"a {one.tag} without words"
        for one in self.elements:
            by = one.get("aria-labelledby")
            if by and by not in ids:
                yield f"{one.tag} is named by {by}, which is not there"
        for one in self.all("th"):
            if not one.get("scope"):
                yield f"the head {one.text.strip()!r} says not of what"

    def _inline(self) -> Iterator[str]:
        for one in self.elements:
            if one.tag == "style" or (one.tag == "script" and (not one.get("src") or one.text.strip())):
                yield f"a {one.tag} within the page"
            yield from (f"{one.tag} has {name}" for name in one.attributes if name == "style" or name.startswith("on"))


def _sent(one: Element) -> bool:
    return one.get("type") not in {"checkbox", "radio"} or "checked" in one.attributes
