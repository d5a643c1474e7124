"""Many people at once: hostile files, progress, cancelling, being killed, the command."""

from __future__ import annotations

import io
import stat
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from common.audit.models import AuditEntry
from common.jobs import runner, services
from common.jobs.context import JobContext
from common.jobs.errors import JobLost
from common.jobs.services import cancel_job
from common.models import Job
from common.uploads.errors import UploadRejected
from recognition.errors import ConflictError, ImportRefused, InvalidError
from recognition.models import Consent, FaceSample, Profile
from recognition.services import archives, import_people, import_reports, importing
from recognition.services.archives import Refusal, ZipPictures, person_of, shown
from recognition.services.consent import (
    has_consent,
    publish_consent_text,
    record_consent,
    withdraw_consent,
)
from recognition.services.import_reports import ImportReport, forget_in_reports, report_of
from recognition.services.importing import forget_old_imports, start_import
from recognition.services.profiles import create_profile
from tests.integration.conftest import make_picture, wait_for_job

pytestmark = pytest.mark.django_db

Photo = Callable[[str], bytes]
DOT = make_picture("PNG", (4, 4))


@pytest.fixture(autouse=True)
def quiet_bells(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bells of jobs that the tests work on themselves would wait for the next worker."""
    if "worker" not in request.fixturenames:
        monkeypatch.setattr(services, "ring", lambda job: True)


def pack(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """Return a ZIP of these entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in entries.items():
            made.writestr(name, data)
    return io.BytesIO(file.getvalue())


def people(photo: Photo, *names: str, count: int = 2) -> dict[str, bytes]:
    return {
        f"{name.capitalize()}/{number}.png": photo(f"bbt/{name}/{name}{number}.png")
        for name in names
        for number in range(1, count + 1)
    }


def begin(user: Any, file: Any, **options: Any) -> Job:
    return start_import(actor=user, file=file, **{"kind": "customer", "consent": False, **options})


def run(job: Job) -> Job:
    """Work on a job in this thread."""
    runner.execute_job(job.pk)
    job.refresh_from_db()
    return job


def stored() -> list[str]:
    root = Path(default_storage.location)
    return sorted(path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file())


@pytest.mark.django_db(transaction=True)
@pytest.mark.data
@pytest.mark.weights
def test_folders_become_people(real_faces: Any, photo: Photo, user: Any) -> None:
    publish_consent_text(actor=user, text="I agree.")
    entries = people(photo, "amy", "raj", count=3)
    entries["Amy/copy.png"] = entries["Amy/1.png"]
    entries["deep/er/Penny/1.png"] = photo("bbt/penny/penny1.png")
    job = run(begin(user, pack(entries), kind="staff", consent=True))
    assert (job.state, job.error_message) == ("done", "")
    assert {(one.name, one.kind, one.samples.count()) for one in Profile.objects.all()} == {
        ("Amy", "staff", 3),
        ("Raj", "staff", 3),
        ("Penny", "staff", 1),
    }
    assert Consent.objects.filter(withdrawn_at=None).count() == 3
    report = report_of(job)
    assert (report.people, report.done, report.pictures) == (3, 3, 8)
    assert (report.added, report.known, report.samples, report.already) == (3, 0, 7, 1)
    assert report.refused == []
    assert set(FaceSample.objects.values_list("source", "created_by")) == {("bulk", user.pk)}
    assert stored() == ["faces"] * 7 + ["people"] * 3  # and no ZIP
    # The same once more changes nothing; one more picture is added to who is there.
    entries["Raj/4.png"] = photo("bbt/raj/raj4.png")
    report = report_of(run(begin(user, pack(entries))))
    assert (report.added, report.known, report.samples, report.already) == (0, 1, 1, 8)
    assert (Profile.objects.count(), FaceSample.objects.count()) == (3, 8)
    told = str(list(AuditEntry.objects.values_list("object_name", "details")))
    assert "Penny" not in told


@pytest.mark.django_db(transaction=True)
@pytest.mark.data
@pytest.mark.weights
def test_an_import_gives_no_agreement_back(real_faces: Any, photo: Photo, user: Any) -> None:
    publish_consent_text(actor=user, text="I agree.")
    amy, raj = (create_profile(actor=user, kind="customer", name=name) for name in ("Amy", "Raj"))
    for one in (amy, raj):
        record_consent(actor=user, profile=one)
    withdraw_consent(actor=user, profile=amy)
    publish_consent_text(actor=user, text="I agree to more.")
    file = pack(people(photo, "amy", "howard", "raj", count=1))
    report = report_of(run(begin(user, file, consent=True)))
    assert [(one.name, one.code) for one in report.refused] == [("Amy", "consent_withdrawn")]
    assert report.samples == 3
    assert not has_consent(amy.pk)
    agreed = Consent.objects.filter(withdrawn_at=None, text__version=2)
    assert set(agreed.values_list("profile__name", flat=True)) == {"Howard", "Raj"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.data
@pytest.mark.weights
def test_what_cannot_be_taken_is_named_and_the_rest_goes_on(
    real_faces: Any, photo: Photo, user: Any
) -> None:
    known = create_profile(actor=user, kind="customer", name="Twice")
    create_profile(actor=user, kind="customer", name="Twice")
    amy = photo("bbt/amy/amy1.png")
    entries = {
        "Amy/1.png": amy,
        "Amy/text.png": b"words",
        "Amy/empty.png": b"",
        "Amy/cut.png": photo("bbt/amy/amy2.png")[:5000],
        "Amy/nobody.png": make_picture("PNG", (200, 200)),
        "Amy/two.jpg": photo("two_people.jpg"),
        "Eve/1.png": amy,
        "Eve/2.png": photo("bbt/amy/amy3.png"),
        "Twice/1.png": photo("bbt/raj/raj1.png"),
        "loose.png": photo("bbt/raj/raj2.png"),
        "Zip/inner.zip": pack({"Mallory/1.png": amy}).getvalue(),
    }
    report = report_of(run(begin(user, pack(entries))))
    codes = {refusal.name: refusal.code for refusal in report.refused}
    assert codes == {
        "loose.png": "no_folder",
        "Amy/text.png": "not_a_picture",
        "Amy/empty.png": "empty_file",
        "Amy/cut.png": "truncated_picture",
        "Amy/nobody.png": "no_face",
        "Amy/two.jpg": "several_faces",
        "Eve/1.png": "looks_like",
        "Eve/2.png": "looks_like",
        "Twice": "ambiguous",
        "Zip/inner.zip": "nested",
    }
    assert all(refusal.message for refusal in report.refused)
    assert (report.people, report.done, report.added, report.samples) == (4, 4, 1, 1)
    assert set(Profile.objects.values_list("name", flat=True)) == {"Amy", "Twice"}
    assert not known.samples.exists()


def entry(name: str, **fields: Any) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    for key, value in fields.items():
        setattr(made, key, value)
    return made


HOSTILE = [
    ("parent", entry("../Amy/1.png"), "outside"),
    ("middle", entry("Amy/../../1.png"), "outside"),
    ("absolute", entry("/etc/passwd"), "outside"),
    ("drive", entry("C:\\Amy\\1.png"), "outside"),
    ("backslashes", entry("..\\Amy\\1.png"), "outside"),
    ("share", entry("\\\\server\\Amy\\1.png"), "outside"),
    ("link", entry("Amy/2.png", external_attr=(stat.S_IFLNK | 0o777) << 16), "link"),
    ("device", entry("Amy/2.png", external_attr=(stat.S_IFCHR | 0o666) << 16), "link"),
    ("long", entry(f"{'x' * 201}/1.png"), "bad_name"),
    ("loose", entry("1.png"), "no_folder"),
    ("blank", entry("\u3000/1.png"), "bad_name"),
]


@pytest.mark.parametrize(
    ("info", "code"), [row[1:] for row in HOSTILE], ids=[r[0] for r in HOSTILE]
)
def test_an_entry_that_is_no_picture_of_a_person_is_named(info: Any, code: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("Amy/1.png", DOT)
        made.writestr(info, DOT)
    source = ZipPictures(file)
    assert source.people == {"Amy": ["Amy/1.png"]}
    [refusal] = source.refused
    assert refusal.code == code
    assert refusal.message


def test_litter_is_passed_by_in_silence() -> None:
    names = ["__MACOSX/Amy/._1.png", "Amy/.DS_Store", "Amy/Thumbs.db", "Amy/", ".hidden"]
    source = ZipPictures(pack({"Amy/1.png": DOT, **dict.fromkeys(names, b"")}))
    assert source.people == {"Amy": ["Amy/1.png"]}
    assert source.refused == []


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("Amy/1.png", "Amy"),
        ("all/of/us/Amy Farrah  Fowler/1.png", "Amy Farrah Fowler"),
        ("./Amy/1.png", "Amy"),
        ("=1+1/1.png", "=1+1"),
        ("Zoe\u0308/1.png", "Zo\xeb"),
        ("A\u202emy/1.png", "A my"),
        ("1.png", ""),
        ("", ""),
        (f"{'x' * 201}/1.png", ""),
    ],
    ids=["plain", "deep", "dot", "formula", "composed", "hidden", "loose", "empty", "long"],
)
def test_a_picture_is_of_whom_its_folder_names(name: str, person: str) -> None:
    assert person_of(name) == person


def test_names_are_read_whatever_program_wrote_them() -> None:
    utf8 = pack({"Zoë/1.png": DOT}).getvalue()
    unflagged = bytearray(utf8)  # as some programs write it: UTF-8 without the flag that says so
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = utf8.index(signature) + offset
        flags = struct.unpack_from("<H", unflagged, at)[0]
        struct.pack_into("<H", unflagged, at, flags & ~0x800)
    assert set(ZipPictures(io.BytesIO(utf8)).people) == {"Zoë"}
    assert set(ZipPictures(io.BytesIO(bytes(unflagged))).people) == {"Zoë"}
    assert shown("a\nb" + "x" * 300).startswith("…")


def bomb() -> io.BytesIO:
    return pack({"Amy/1.png": bytes(30_000_000)})


def test_a_bomb_is_not_unpacked(user: Any, settings: Any) -> None:
    with pytest.raises(ImportRefused) as caught:
        begin(user, bomb())  # the only entry
    assert caught.value.code == "no_pictures"
    assert "grow too much" in caught.value.message
    source = ZipPictures(pack({"Amy/1.png": bytes(30_000_000), "Amy/2.png": DOT}))
    assert [refusal.code for refusal in source.refused] == ["zip_bomb"]
    settings.SIGHTLINE_MAX_IMPORT_BYTES = 100_000
    many = pack({f"Amy/{n}.png": bytes(range(256)) * 200 for n in range(10)})
    with pytest.raises(ImportRefused) as caught:
        begin(user, many)
    assert (caught.value.code, caught.value.status) == ("zip_bomb", 413)
    assert stored() == []
    assert not Job.objects.exists()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_what_is_unpacked_without_bound_is_not_unpacked(method: int) -> None:
    data = bytearray(pack({"Amy/1.png": bytes(30_000_000)}, method).getvalue())
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 1_000)  # it says it is small
    assert [one.code for one in refused_of(bytes(data), "Amy/2.png")] == ["unsupported"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_of_the_same_name_cost_no_more_than_others() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for _ in range(5_000):
            made.writestr("Amy/1.png", DOT)
        made.writestr("Amy\\1.png", DOT)
    began = time.perf_counter()
    source = ZipPictures(file)
    assert time.perf_counter() - began < 5
    assert source.people == {"Amy": ["Amy/1.png"]}
    assert {refusal.code for refusal in source.refused} == {"double"}
    assert len(source.refused) == 5_000


def test_an_entry_that_lies_about_its_size_is_cut_off(settings: Any) -> None:
    data = bytearray(pack({"Amy/1.png": b"x" * 5_000_000}, zipfile.ZIP_STORED).getvalue())
    settings.SIGHTLINE_MAX_UPLOAD_BYTES = 1_000_000
    assert [one.code for one in refused_of(bytes(data), "Amy/2.png")] == ["too_large"]
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 1_000)  # so large it says it is, unpacked
    with pytest.raises(archives.EntryError):
        ZipPictures(io.BytesIO(bytes(data))).read("Amy/1.png")


def refused_of(data: bytes, spare: str) -> Any:
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as made:
        made.writestr(spare, DOT)
    return ZipPictures(file).refused


def test_a_list_of_contents_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = pack({f"Amy/{number}.png": b"" for number in range(100)})
    monkeypatch.setattr(archives, "MAX_ENTRIES", 99)
    with pytest.raises(ImportRefused) as caught:
        ZipPictures(file)
    assert (caught.value.code, caught.value.status) == ("too_many_entries", 413)
    monkeypatch.setattr(archives, "DIRECTORY_BYTES", 1_000)
    monkeypatch.setattr(zipfile, "ZipInfo", None)  # no entry is looked at
    with pytest.raises(ImportRefused) as caught:
        ZipPictures(file)
    assert caught.value.code == "too_many_entries"


def encrypted() -> bytes:
    data = bytearray(pack({"Amy/1.png": DOT}).getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


NOTHING = {
    "empty": b"",
    "text": b"words",
    "picture": DOT,
    "cut": pack({"Amy/1.png": DOT}).getvalue()[:-30],
    "no entries": pack({}).getvalue(),
    "only a folder": pack({"Amy/": b""}).getvalue(),
    "only loose": pack({"1.png": DOT}).getvalue(),
    "encrypted": encrypted(),
    "claims": b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 9, 9, 0xFFFFFFF0, 0, 0),
}


@pytest.mark.parametrize("data", NOTHING.values(), ids=NOTHING.keys())
def test_a_file_without_people_is_refused_before_it_is_stored(user: Any, data: bytes) -> None:
    with pytest.raises(ImportRefused) as caught:
        begin(user, io.BytesIO(data))
    assert caught.value.status in (413, 422)
    assert caught.value.message.endswith(".")
    assert stored() == []
    assert not Job.objects.exists()


def test_what_is_asked_for_is_judged_first(user: Any, settings: Any) -> None:
    file = pack({"Amy/1.png": DOT})
    with pytest.raises(InvalidError):
        begin(user, file, kind="ghost")
    with pytest.raises(ConflictError):
        begin(user, file, consent=True)
    settings.SIGHTLINE_MAX_IMPORT_BYTES = 100
    with pytest.raises(ImportRefused) as caught:
        begin(user, file)
    assert (caught.value.code, caught.value.status) == ("file_too_large", 413)
    settings.SIGHTLINE_MIN_FREE_BYTES = 1 << 60
    with pytest.raises(UploadRejected):
        begin(user, file)
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.data
@pytest.mark.weights
def test_a_killed_job_goes_on_behind_the_last_person(
    real_faces: Any, photo: Photo, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begin(user, pack(people(photo, "amy", "howard", "raj")))
    checkpoint, seen = JobContext.checkpoint, []

    def die(self: JobContext, progress: float | None = None, message: str = "") -> None:
        seen.append(message)
        if len(seen) == 4:  # in the middle of the second person
            raise JobLost
        checkpoint(self, progress, message)

    monkeypatch.setattr(JobContext, "checkpoint", die)
    assert run(job).state == "running"  # as a killed process leaves it
    assert report_of(job).done == 1
    assert FaceSample.objects.count() == 2
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert run(job).state == "done"
    report = report_of(job)
    assert (report.done, report.added, report.samples, report.already) == (3, 3, 6, 0)
    assert FaceSample.objects.count() == 6
    assert seen[-1] == "Person 3 of 3"
    assert job.attempt == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.data
@pytest.mark.weights
def test_an_attempt_that_lost_its_job_writes_nothing(
    real_faces: Any, photo: Photo, user: Any
) -> None:
    job = begin(user, pack(people(photo, "amy")))
    mine = runner.claim_job(job.pk)
    assert mine is not None
    Job.objects.filter(pk=job.pk).update(worker="somebody else")
    with pytest.raises(JobLost):
        importing.run_import_job(JobContext(mine, time_limit=60))
    assert not Profile.objects.exists()
    assert stored() == ["imports"]  # it is the other attempt's


@pytest.mark.django_db(transaction=True)
@pytest.mark.data
@pytest.mark.weights
def test_a_cancelled_import_keeps_who_was_enrolled(
    real_faces: Any,
    photo: Photo,
    user: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = begin(user, pack(people(photo, "amy", "howard", "raj")))
    add = import_people._Importer.add_person

    def cancel(self: Any, *args: Any) -> Any:
        report = add(self, *args)
        cancel_job(job=Job.objects.get(pk=job.pk))
        return report

    monkeypatch.setattr(import_people._Importer, "add_person", cancel)
    assert run(job).state == "cancelled"
    assert Profile.objects.get().name == "Amy"
    assert report_of(job).done == 1
    assert "imports" not in stored()


def test_the_file_of_a_job_that_was_cancelled_while_it_waited_goes(
    user: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = begin(user, pack({"Amy/1.png": DOT}))
        assert stored() == ["imports"]
        cancel_job(job=job)
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_gone_is_said_to_be(user: Any) -> None:
    job = begin(user, pack({"Amy/1.png": DOT}))
    default_storage.delete(job.payload["file"])
    run(job)
    assert (job.state, job.error_code) == ("failed", "file_gone")


@pytest.mark.data
@pytest.mark.weights
def test_the_worker_imports_an_uploaded_file(
    real_faces: Any, worker: Any, photo: Photo, user: Any
) -> None:
    data = pack(people(photo, "amy", "raj")).getvalue()
    job = begin(user, SimpleUploadedFile("people.zip", data))
    assert wait_for_job(job).state == "done"
    assert (job.progress, report_of(job).samples) == (1.0, 4)


@pytest.mark.django_db(transaction=True)
@pytest.mark.data
@pytest.mark.weights
def test_reports_forget_names(real_faces: Any, photo: Photo, user: Any, monkeypatch: Any) -> None:
    entries = {"Amy/1.png": DOT, "Raj/1.png": DOT, "Raj/2.png": photo("bbt/raj/raj1.png")}
    job = run(begin(user, pack(entries)))
    assert len(report_of(job).refused) == 2
    assert forget_in_reports("Amy") == 1
    job.refresh_from_db()
    report = report_of(job)
    assert ([one.name for one in report.refused], report.more) == (["Raj/1.png"], 1)
    assert forget_old_imports() == 0
    monkeypatch.setattr(importing, "KEPT_DAYS", -1)
    assert forget_old_imports() == 1
    job.refresh_from_db()
    assert "Raj" not in str(job.payload)
    assert (report_of(job).more, report_of(job).samples) == (2, 1)


def test_a_file_that_goes_while_others_are_looked_for_is_passed_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    default_storage.save("imports/old.zip", io.BytesIO(b"PK"))
    listdir = default_storage.listdir
    monkeypatch.setattr(
        default_storage, "listdir", lambda path: ([], ["gone.zip", *listdir(path)[1]])
    )
    assert forget_old_imports() == 0
    assert stored() == ["imports"]  # it is young


def test_a_long_report_counts_what_it_does_not_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_reports, "REPORTED", 2)
    report = ImportReport()
    for number in range(5):
        report.refuse(Refusal(str(number), "damaged", "It is damaged."))
    assert (len(report.refused), report.more) == (2, 3)


@pytest.mark.data
@pytest.mark.weights
def test_the_command_takes_a_folder_or_a_zip(
    real_faces: Any, photo: Photo, user: Any, tmp_path: Path, capsys: Any
) -> None:
    for name, data in {**people(photo, "amy", "raj"), "Amy/text.png": b"words"}.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "folder" / "Amy" / "link.png").symlink_to(tmp_path / "folder" / "Raj" / "1.png")
    call_command("import_people", str(tmp_path / "folder"), user="ada")
    told = capsys.readouterr()
    assert "5 pictures of 2 people: 2 people added" in told.out
    assert "4 pictures enrolled, 0 there already, 2 refused" in told.out
    assert "Amy/text.png: " in told.err
    assert "Amy/link.png: It is a link" in told.err
    archive = tmp_path / "people.zip"
    archive.write_bytes(pack(people(photo, "amy", "raj", count=3)).getvalue())
    call_command("import_people", str(archive))
    assert "2 pictures enrolled, 4 there already" in capsys.readouterr().out
    assert FaceSample.objects.count() == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "cannot be read"),
        (["."], "It lies in no folder"),
        (["words.zip"], "not a ZIP"),
        ([".", "--user", "nobody"], "no active user"),
        ([".", "--consent"], "no text yet"),
    ],
    ids=["missing", "flat", "text", "user", "consent"],
)
def test_the_command_says_what_is_wrong(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.zip").write_bytes(b"words")
    with pytest.raises(CommandError, match=words):
        call_command("import_people", *arguments)
