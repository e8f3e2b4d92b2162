"""Reads the parameters of one request; whatever is missing, ill-typed or unknown is refused before any work."""

from typing import Any, cast

from devstack.stand_ins.stripe.errors import ParameterError
from devstack.stand_ins.stripe.wire import Json

TEXT_MAX = 5000  # Stripe's general limit on a text parameter
METADATA_KEYS, METADATA_KEY_MAX, METADATA_VALUE_MAX = 50, 40, 500  # docs.stripe.com/api/metadata


class Params:
    """The parameters as they came; reading one by name marks it as known."""

    def __init__(self, given: Json, path: str = "") -> None:
        self._given, self._path = given, path
        self._known: set[str] = set()
        self._sections: list[Params] = []

    def has(self, name: str) -> bool:
        """Say whether `name` was given at all, if only to unset it."""
        self._known.add(name)
        return name in self._given

    def text(self, name: str, *, most: int = TEXT_MAX, clearable: bool = False) -> str | None:
        """Return the text, None where absent, and "" where a `clearable` one is to be unset."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise ParameterError("Invalid string", param=self._at(name))
        if not value and not clearable:
            raise ParameterError(_empty(self._at(name)), code="parameter_invalid_empty", param=self._at(name))
        if len(value) > most:
            message = f"Invalid string: must be at most {most} characters"
            raise ParameterError(message, code="parameter_invalid_string_blank", param=self._at(name))
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise self.missing(name)
        return value

    def missing(self, name: str) -> ParameterError:
        message = f"Missing required param: {self._at(name)}."
        return ParameterError(message, code="parameter_missing", param=self._at(name))

    def whole(self, name: str, *, least: int = 0, most: int | None = None) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        at = self._at(name)
        if not value.removeprefix("-").isascii() or not value.removeprefix("-").isdigit():
            raise ParameterError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=at)
        number = int(value)
        if number < least:
            message = f"This value must be greater than or equal to {least}."
            raise ParameterError(message, code="parameter_invalid_integer", param=at)
        if most is not None and number > most:
            message = f"This value must be less than or equal to {most} (it currently is '{number}')."
            raise ParameterError(message, code="parameter_invalid_integer", param=at)
        return number

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value not in {None, "true", "false"}:
            raise ParameterError(f"Invalid boolean: {value}", param=self._at(name))
        return None if value is None else value == "true"

    def choice(self, name: str, *options: str, clearable: bool = False) -> str | None:
        value = self.text(name, clearable=clearable)
        if value is None or value in options or (clearable and not value):
            return value
        listed = ", or ".join(filter(None, (", ".join(options[:-1]), *options[-1:])))
        raise ParameterError(f"Invalid {self._at(name)}: must be one of {listed}", param=self._at(name))

    def texts(self, name: str, *, most: int | None = None) -> list[str] | None:
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in cast("list[Any]", value)):
            raise ParameterError("Invalid array", param=self._at(name))
        entries = cast("list[str]", value)
        if most is not None and len(entries) > most:
            raise ParameterError(f"Array too long: at most {most} entries", param=self._at(name))
        return entries

    def section(self, name: str) -> "Params | None":
        """Return the parameters nested under `name`, None where absent."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ParameterError("Invalid object", param=self._at(name))
        section = Params(cast("Json", value), self._at(name))
        self._sections.append(section)
        return section

    def metadata(self) -> dict[str, str] | None:
        """Return what to merge, with "" for keys to unset; an empty text for the whole unsets all (see `merged`)."""
        value = self._value("metadata")
        if value is None:
            return None
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise ParameterError("Invalid object", param="metadata")
        return {key: self._metadata_value(key, text) for key, text in cast("Json", value).items()}

    def clears_metadata(self) -> bool:
        return self._given.get("metadata") == ""

    def between(self, name: str) -> tuple[int, int]:
        """Return the first and last second asked for, given as one time or as gt, gte, lt, lte."""
        if not isinstance(self._value(name), dict):
            exact = self.whole(name)
            return (0, 2**62) if exact is None else (exact, exact)
        section = cast("Params", self.section(name))
        above, below = section.whole("gt"), section.whole("lt")
        first = max(section.whole("gte") or 0, 0 if above is None else above + 1)
        last = section.whole("lte")
        return first, min(2**62 if last is None else last, 2**62 if below is None else below - 1)

    def close(self) -> None:
        """Refuse what nobody has read; called before the work begins."""
        unknown = self.unknown()
        if unknown:
            label = "parameter" if len(unknown) == 1 else "parameters"
            message = f"Received unknown {label}: {', '.join(unknown)}"
            raise ParameterError(message, code="parameter_unknown", param=unknown[0])

    def unknown(self) -> list[str]:
        """Return the names that nobody has read, nested ones included."""
        own = [self._at(name) for name in self._given if name not in self._known]
        return own + [name for section in self._sections for name in section.unknown()]

    def _value(self, name: str) -> Any:
        self._known.add(name)
        return self._given.get(name)

    def _at(self, name: str) -> str:
        return f"{self._path}[{name}]" if self._path else name

    def _metadata_value(self, key: str, text: Any) -> str:
        at = f"metadata[{key}]"
        if not isinstance(text, str):
            raise ParameterError("Metadata values must be strings.", param=at)
        if len(key) > METADATA_KEY_MAX:
            message = f"Metadata keys can have up to {METADATA_KEY_MAX} characters."
            raise ParameterError(message, param=at)
        if len(text) > METADATA_VALUE_MAX:
            message = f"Metadata values can have up to {METADATA_VALUE_MAX} characters."
            raise ParameterError(message, param=at)
        return text


def merged(kept: dict[str, str], params: Params) -> dict[str, str]:
    """Return `kept` with the request's metadata laid over it: "" unsets a key, an empty whole unsets all."""
    given = params.metadata()
    if given is None:
        return kept
    result = {} if params.clears_metadata() else kept | given
    result = {key: text for key, text in result.items() if text != ""}
    if len(result) > METADATA_KEYS:
        raise ParameterError(f"You can have up to {METADATA_KEYS} metadata keys.", param="metadata")
    return result


def _empty(at: str) -> str:
    return (
        f"You passed an empty string for '{at}'. We assume empty values are an attempt to unset a parameter; however "
        f"'{at}' cannot be unset. You should remove '{at}' from your request or supply a non-empty value."
    )
