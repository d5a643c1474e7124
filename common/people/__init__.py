"""What every app must be able to do with one person: forget them, count what is left, tell it.

An app with rows about people says so when it is ready; this package imports none. A person is the
id of their profile.
"""

from common.people.registry import (
    ExportWriter,
    PersonData,
    PersonId,
    all_person_data,
    register_person_data,
)

__all__ = [
    "ExportWriter",
    "PersonData",
    "PersonId",
    "all_person_data",
    "register_person_data",
]
