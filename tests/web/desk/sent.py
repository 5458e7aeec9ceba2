"""What a browser without script would send of a page's forms: exactly the fields that stand there and are chosen."""

from html.parser import HTMLParser


class Forms(HTMLParser):
    """Reads every form of a page: where it is sent, and its fields as they would be sent, buttons apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, list[str]]]] = []
        self._area = self._select = ""
        self._first = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((said.get("action", ""), {}))
        elif not self.found:
            return
        elif tag == "textarea":
            self._area = said.get("name", "")
            self._add(self._area, "")
        elif tag == "select":
            self._select, self._first = said.get("name", ""), True
        elif tag == "option" and self._select:
            if self._first or "selected" in said:
                self.found[-1][1][self._select] = [said.get("value", "")]
            self._first = False
        elif tag == "input" and said.get("name") and _is_sent(said):
            self._add(said["name"], said.get("value", ""))

    def _add(self, name: str, value: str) -> None:
        self.found[-1][1].setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[-1][1][self._area][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area:
            values = self.found[-1][1][self._area]
            values[-1] = values[-1].removeprefix("\n")  # the first line end of an area is no part of its text
            self._area = ""
        elif tag == "select":
            self._select = ""


def _is_sent(said: dict[str, str]) -> bool:
    return said.get("type") not in ("checkbox", "radio") or "checked" in said


def form_with(text: str, name: str) -> dict[str, list[str]]:
    """Give the fields of the form that has this one, without the token."""
    found = next(fields for _, fields in Forms(text).found if name in fields)
    return {key: values for key, values in found.items() if key != "token"}


def forms_to(text: str, tail: str) -> list[dict[str, list[str]]]:
    """Give the fields of the forms that are sent to an address with this end."""
    return [
        {key: values for key, values in fields.items() if key != "token"}
        for action, fields in Forms(text).found
        if action.partition("?")[0].endswith(tail)
    ]
