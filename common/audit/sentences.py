"""Lines of the log as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from common.audit.models import AuditEntry

Action = AuditEntry.Action
Writer = Callable[[AuditEntry], str]

# What a kind of object is called when the line knows no name of it.
NOUNS = {
    "auth.user": "an account",
    "auth.group": "a group",
    "common.upload": "a picture",
    "common.retentionpolicy": "how long things are kept",
    "detector.detectionsession": "a session",
    "knox.authtoken": "a token",
    "recognition.profile": "a person",
}
# Why somebody who was known by their face is known no longer.
ERASED = {
    "request": "on request",
    "consent": "as consent was withdrawn",
    "retention": "as the time was over",
    "restore": "again, as a backup had brought them back",
}


def sentence_of(entry: AuditEntry) -> str:
    """Return what happened, e.g. “ada exported “street.jpg” of bob as CSV”."""
    return f"{entry.actor_name or _nobody(entry)} {_WRITERS.get(entry.action, _other)(entry)}"


def origin_of(entry: AuditEntry) -> str:
    """Return where it came from and by what means, e.g. "from 10.0.0.3 · token nightly"."""
    parts = [f"from {entry.address}" if entry.address else "", entry.via]
    return " · ".join(part for part in parts if part)


def _nobody(entry: AuditEntry) -> str:
    strangers = (Action.SIGN_IN_FAILED,)
    return "Somebody" if entry.action in strangers else "The system"


def _object(entry: AuditEntry) -> str:
    name = f"“{entry.object_name}”" if entry.object_name else NOUNS.get(entry.object_type, "")
    return name or "something"


def _of_owner(entry: AuditEntry) -> str:
    own = not entry.owner_name or entry.owner_name == entry.actor_name
    return "" if own else f" of {entry.owner_name}"


def _whose(entry: AuditEntry) -> str:
    """Whose account a line is about, where owner and object are the same."""
    name = entry.owner_name or entry.object_name
    return "their own" if name == entry.actor_name else f"{name}'s"


def _sign_in_failed(entry: AuditEntry) -> str:
    tries = entry.details.get("tries", 1)
    text = f"failed to sign in as {_object(entry)}"
    if entry.details.get("names") == "many":
        text = f"failed to sign in under many names, the last was {_object(entry)}"
    return text if tries == 1 else f"{text} ({tries} times within an hour)"


def _password(entry: AuditEntry) -> str:
    how = entry.details.get("change", "changed")
    return f"changed {_whose(entry)} password" + ("" if how == "changed" else f" ({how})")


def _account(entry: AuditEntry) -> str:
    details = entry.details
    change = details.get("change")
    whose, who = _whose(entry), entry.owner_name or entry.object_name
    groups = ", ".join(f"“{name}”" for name in _texts(details.get("groups")))
    match change:
        case "created":
            return f"made the account {who}"
        case "deleted":
            return f"deleted the account {who}"
        case "signed up":
            return "signed up"
        case "e-mail":
            return f"changed {whose} e-mail address"
        case "role":
            return f"changed {whose} role from {details.get('before')} to {details.get('after')}"
        case "joined":
            return f"added {who} to {groups}"
        case "left":
            return f"took {who} out of {groups}"
    before, after = details.get("before"), details.get("after")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return f"changed {whose} account: {_changes(before, after)}"
    return f"changed {whose} account"


def _token(verb: str) -> Writer:
    def write(entry: AuditEntry) -> str:
        details = entry.details
        name = details.get("token") or entry.object_name
        scope = {"read": " that may read", "write": " that may read and write"}
        may = scope.get(str(details.get("scope")), "") if verb == "made" else ""
        return f"{verb} the token “{name}”{_of_owner(entry)}{may}"

    return write


def _shared(entry: AuditEntry) -> str:
    group, before = entry.details.get("group"), entry.details.get("before")
    thing = f"{_object(entry)}{_of_owner(entry)}"
    if group:
        return f"shared {thing} with {group}" + (f" instead of {before}" if before else "")
    return f"stopped sharing {thing}" + (f" with {before}" if before else "")


def _exported(entry: AuditEntry) -> str:
    form = str(entry.details.get("format", ""))
    as_form = {"": "", "original": " as it came", "yolo": " as YOLO labels"}.get(
        form, f" as {form.upper() if len(form) <= 4 else form}"
    )
    what = entry.details.get("what") or f"{_object(entry)}{_of_owner(entry)}"
    return f"exported {what}{as_form}"


def _viewed(entry: AuditEntry) -> str:
    return f"viewed {_object(entry)}{_of_owner(entry)}"


def _deleted(entry: AuditEntry) -> str:
    reason = ERASED.get(str(entry.details.get("reason", "")))
    if entry.object_type == "recognition.profile" and reason:
        return f"erased {_object(entry)} {reason}"
    return f"deleted {_object(entry)}{_of_owner(entry)}{_place(entry)}"


def _settings(entry: AuditEntry) -> str:
    before, after = entry.details.get("before"), entry.details.get("after")
    text = f"changed {_object(entry)}{_place(entry)}"
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return f"{text}: {_changes(before, after)}"
    change = str(entry.details.get("change", ""))
    return f"{text}: {change}" if change else text


def _maintenance(entry: AuditEntry) -> str:
    what = entry.details.get("what", "maintenance")
    counts = [
        f"{name.replace('_', ' ')} {value}"
        for name, value in sorted(entry.details.items())
        if isinstance(value, int) and not isinstance(value, bool) and value
    ]
    return f"ran {what}" + (f" ({', '.join(counts)})" if counts else "")


def _other(entry: AuditEntry) -> str:
    return f"{entry.action.replace('_', ' ')} {_object(entry)}{_of_owner(entry)}"


def _place(entry: AuditEntry) -> str:
    place = entry.details.get("in")
    return f" in the {place}" if place else ""


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    pairs = [
        f"{name.replace('_', ' ')} {_value(before.get(name))} → {_value(value)}"
        for name, value in sorted(after.items())
        if value != before.get(name)
    ]
    return ", ".join(pairs) or "nothing"


def _value(value: Any) -> str:
    return {None: "none", True: "yes", False: "no"}.get(value, str(value))


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


_WRITERS: dict[str, Writer] = {
    Action.SIGN_IN: lambda entry: "signed in",
    Action.SIGN_OUT: lambda entry: "signed out",
    Action.SIGN_IN_FAILED: _sign_in_failed,
    Action.PASSWORD: _password,
    Action.ACCOUNT: _account,
    Action.TOKEN_CREATED: _token("made"),
    Action.TOKEN_REVOKED: _token("revoked"),
    Action.SHARED: _shared,
    Action.VIEWED: _viewed,
    Action.EXPORTED: _exported,
    Action.DELETED: _deleted,
    Action.SETTINGS: _settings,
    Action.MAINTENANCE: _maintenance,
}
