"""Addresses of cameras: read, judged, and never showing a password."""

import pickle
import socket
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.sources.cameras import (
    AddressRules,
    CameraAddress,
    CameraError,
    Credentials,
    check_address,
    parse_address,
)
from vision.sources.cameras.address import DEFAULT_PORTS, find_file
from vision.sources.cameras.hosts import can_match, resolve_host
from vision.sources.cameras.secrets import fill_secrets, hides

SECRET = "s3cr:et/@#?é"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rtsp://cam/live", CameraAddress("rtsp", "cam", None, "/live")),
        ("  rtsp://cam/live\n", CameraAddress("rtsp", "cam", None, "/live")),
        ("RTSP://Cam.Example./Live", CameraAddress("rtsp", "cam.example", None, "/Live")),
        ("rtsp://cam:554/a", CameraAddress("rtsp", "cam", None, "/a")),
        ("rtsps://cam:8322/a", CameraAddress("rtsps", "cam", 8322, "/a")),
        ("http://10.0.0.5", CameraAddress("http", "10.0.0.5")),
        ("https://cam/s.cgi?ch=1&q=2", CameraAddress("https", "cam", None, "/s.cgi", "ch=1&q=2")),
        ("rtmp://[fd00::5]:1936/app/key", CameraAddress("rtmp", "fd00::5", 1936, "/app/key")),
        (
            "rtsp://kamera-hof.büro/ü",
            CameraAddress("rtsp", "kamera-hof.xn--bro-hoa", path="/%C3%BC"),
        ),
        ("usb:0", CameraAddress("usb", number=0)),
        ("USB:12", CameraAddress("usb", number=12)),
        ("loop:a.mp4", CameraAddress("loop", file="a.mp4")),
        (
            "loop:shop/front door.mp4".replace(" ", "_"),
            CameraAddress("loop", file="shop/front_door.mp4"),
        ),
        ("loop:./shop//a.mp4", CameraAddress("loop", file="shop/a.mp4")),
    ],
)
def test_addresses_are_read(text: str, expected: CameraAddress) -> None:
    assert parse_address(text) == (expected, None)
    assert parse_address(str(expected)) == (expected, None)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "bad_address", "rtsp://"),
        ("   ", "bad_address", "rtsp://"),
        ("192.168.1.20", "unsupported_scheme", "rtsp://"),
        ("rtsp:/cam/live", "unsupported_scheme", "rtsp://"),
        ("rtsp://", "bad_address", "no host"),
        ("rtsp:///live", "bad_address", "no host"),
        ("rtsp://cam:99999/", "bad_address", "cannot be read"),
        ("rtsp://cam:0/", "bad_address", "no host"),
        ("rtsp://cam:abc/", "bad_address", "cannot be read"),
        ("rtsp://[::1/", "bad_address", "cannot be read"),
        ("rtsp://ca m/", "bad_address", "spaces"),
        ("rtsp://cam/\x00", "bad_address", "unprintable"),
        ("rtsp://cam/\r\nDESCRIBE", "bad_address", "unprintable"),
        ("rtsp://cam\\live", "bad_address", "backslashes"),
        ("rtsp://-cam/", "bad_address", "name of the host"),
        ("rtsp://[fe80::1%25eth0]/", "bad_address", "name of the host"),
        ("rtsp://" + "a" * 64 + "/", "bad_address", "name of the host"),
        ("rtsp://cam/" + "a" * 500, "bad_address", "longer"),
        ("rtsp://cam/a#b", "bad_address", "%23"),
        ("file:///etc/passwd", "unsupported_scheme", "loop:"),
        ("concat:a|b", "unsupported_scheme", "loop:"),
        ("data:text/plain,a", "unsupported_scheme", "loop:"),
        ("pipe:0", "unsupported_scheme", "loop:"),
        ("subfile,,start,0,end,9,,:/etc/passwd", "unsupported_scheme", "rtsp://"),
        ("hls+http://cam/a.m3u8", "unsupported_scheme", "rtsp://"),
        ("udp://239.0.0.1:1234", "unsupported_scheme", "rtsp://"),
        ("srt://cam:1234", "unsupported_scheme", "rtsp://"),
        ("/dev/video0", "unsupported_scheme", "usb:"),
        ("/etc/passwd", "unsupported_scheme", "rtsp://"),
        ("usb:", "bad_address", "usb:0"),
        ("usb:-1", "bad_address", "usb:0"),
        ("usb:64", "bad_address", "usb:63"),
        ("usb:0/../../etc", "bad_address", "usb:0"),
        ("usb:٣", "bad_address", "usb:0"),
        ("loop:", "bad_address", "loop:"),
        ("loop:.", "bad_address", "loop:"),
        ("loop:/etc/passwd", "bad_address", "loop:"),
        ("loop:../a.mp4", "bad_address", "loop:"),
        ("loop:a/../../b.mp4", "bad_address", "loop:"),
        ("loop:a/", "bad_address", "loop:"),
        ("loop:..\\a.mp4", "bad_address", "backslashes"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_advice(text: str, code: str, says: str) -> None:
    with pytest.raises(CameraError) as refusal:
        parse_address(text)
    assert refusal.value.code == code
    assert says in refusal.value.message


@pytest.mark.parametrize(
    ("text", "address", "username", "password"),
    [
        ("rtsp://u:p@cam/x", "rtsp://cam/x", "u", "p"),
        ("rtsp://u@cam/x", "rtsp://cam/x", "u", ""),
        ("rtsp://u:p%40%2F%3A@cam/x", "rtsp://cam/x", "u", "p@/:"),
        ("rtsp://u:p@q@cam/x", "rtsp://cam/x", "u", "p@q"),
        ("rtsp://u:p:q@cam/x", "rtsp://cam/x", "u", "p:q"),
        (
            "http://cam/s.cgi?usr=u&pwd=a%26b&c=1",
            "http://cam/s.cgi?usr={username}&pwd={password}&c=1", "u", "a&b",
        ),
        ("http://cam/?token=abc", "http://cam/?token={password}", "", "abc"),
        (
            "rtsp://cam/user=u_password=p_channel=1_stream=0.sdp",
            "rtsp://cam/user={username}_password={password}_channel=1_stream=0.sdp", "u", "p",
        ),
        (
            "rtsp://cam/user=u&password=&channel=1",
            "rtsp://cam/user={username}&password={password}&channel=1", "u", "",
        ),
        ("rtsp://u:p@cam/?user=u&pwd=p", "rtsp://cam/?user={username}&pwd={password}", "u", "p"),
    ],
)  # fmt: skip
def test_credentials_are_taken_out(text: str, address: str, username: str, password: str) -> None:
    found, credentials = parse_address(text)
    assert str(found) == address
    assert credentials == Credentials(username, password)
    assert parse_address(address) == (found, None)


def test_two_passwords_are_refused_without_naming_one() -> None:
    with pytest.raises(CameraError) as refusal:
        parse_address("http://u:first@cam/?user=u&pwd=second")
    assert refusal.value.code == "bad_address"
    assert not {"first", "second"} & set(refusal.value.message.split())


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:pass/word@cam/live",
        "rtsp://admin:12/34word@cam/live",
        "rtsp://admin:pass#word@cam/live",
        "rtsp://admin:12?word@cam/live",
        "rtsp://admin:word@cam:99999/live",
        "rtsp://admin:word@/live",
        "admin:word@cam/live",
        "rtsp:admin:word@cam",
    ],
)
def test_errors_repeat_no_password(text: str) -> None:
    with pytest.raises(CameraError) as refusal:
        parse_address(text)
    assert "word@" not in str(refusal.value)
    # Neither may the chain of errors that a log prints.
    shown = "".join(traceback.format_exception(refusal.value, chain=True)[-1:])
    assert "word@" not in shown
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,20}(\.[a-z0-9]{1,10}){0,3}", fullmatch=True)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30)
PATHS = st.from_regex(r"(/[a-zA-Z0-9_.~-]{1,8}){0,4}", fullmatch=True)


@given(
    kind=st.sampled_from(sorted(DEFAULT_PORTS)),
    host=HOSTS,
    port=st.none() | st.integers(1, 65535),
    path=PATHS,
    username=WORDS,
    password=WORDS,
)
def test_every_address_survives_its_own_text(
    kind: str, host: str, port: int | None, path: str, username: str, password: str
) -> None:
    who = f"{quote(username, safe='')}:{quote(password, safe='')}"
    where = host if port is None else f"{host}:{port}"
    text = f"{kind}://{who}@{where}{path}"
    if len(text) > 500:
        return
    address, credentials = parse_address(text)
    assert credentials == Credentials(username, password)
    assert (address.kind, address.host, address.path) == (kind, host, path)
    assert address.dialled_port == (port or DEFAULT_PORTS[kind])
    assert parse_address(str(address)) == (address, None)
    assert "@" not in str(address)


@given(st.text(max_size=80) | WORDS.map(lambda word: f"rtsp://{word}"))
def test_any_text_is_an_address_or_a_refusal(text: str) -> None:
    try:
        address, _ = parse_address(text)
    except CameraError:
        return
    assert parse_address(str(address)) == (address, None)


@given(WORDS.filter(bool))
def test_placeholders_are_filled_escaped(password: str) -> None:
    filled = fill_secrets("/a?u={username}&p={password}&z", Credentials("me", password))
    assert filled == f"/a?u=me&p={quote(password, safe='')}&z"
    assert filled.count("&") == 2


def test_credentials_show_nothing() -> None:
    credentials = Credentials("somebody", SECRET)
    shown = f"{credentials} {credentials!r} {[credentials]} {(credentials, 1)!s}"
    assert "somebody" not in shown
    assert SECRET not in shown
    assert pickle.loads(pickle.dumps(credentials)) == credentials


@pytest.mark.parametrize(
    ("text", "password", "hidden"),
    [
        ("rtsp://cam/live", "live2", True),
        ("rtsp://u:p%40q@cam", "p@q", False),
        ("wrong: p@q", "p@q", False),
        ("anything", "", True),
    ],
)
def test_a_password_in_a_text_is_found(text: str, password: str, hidden: bool) -> None:
    assert hides(text, Credentials("u", password)) is hidden
    assert hides(text, None)


REFUSED = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.1.1"),
    *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "100.100.100.200"),
    *("168.63.129.16", "192.0.0.192", "::", "::1", "fe80::1", "ff02::1", "fd00:ec2::254"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::"),
    *("2002:a9fe:a9fe::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"),
    # A network's own translation: its place for the IPv4 address is not known.
    *("64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1::808:808", "fd20:ce::254"),
]
ACCEPTED = [
    *("10.0.0.5", "192.168.1.20", "172.16.3.4", "100.64.0.9", "8.8.8.8", "203.0.114.5"),
    *("fd00::5", "2606:4700::1111", "::ffff:192.168.1.20", "64:ff9b::808:808"),
]


def _address(host: str) -> CameraAddress:
    return CameraAddress("rtsp", host)


@pytest.mark.parametrize("host", [*REFUSED, "localhost", "camera.localhost", "127.1", "0x7f000001"])
def test_forbidden_hosts_are_refused_without_asking_the_network(host: str) -> None:
    with pytest.raises(CameraError, match="cameras may not have") as refusal:
        check_address(_address(host), AddressRules())
    assert refusal.value.code == "forbidden_address"


@pytest.mark.parametrize("host", [*ACCEPTED, "camera.example", "kamera"])
def test_other_hosts_are_accepted(host: str) -> None:
    check_address(_address(host), AddressRules())


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("127.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("localhost", "LOCALHOST"),
        ("::1", "[::1]"),
        ("fe80::7", "fe80::/10"),
        ("169.254.3.4", " 169.254.0.0/16 "),
        ("64:ff9b:1::5", "64:ff9b:1::/64"),
    ],
)
def test_listed_hosts_are_accepted(host: str, allowed: str) -> None:
    check_address(_address(host), AddressRules(allowed=("other", allowed)))


@pytest.mark.parametrize(
    ("entry", "usable"),
    [
        *((entry, True) for entry in ("media.local", "MEDIA", "10.0.0.0/8", "10.1.2.3/8")),
        *((entry, True) for entry in (" 127.0.0.1 ", "::1", "[::1]", "fe80::/10", "my-cam")),
        *((entry, False) for entry in ("", "http://cam", "cam:8554", "10.0.0.0/99", "*.local")),
        *((entry, False) for entry in ("10.0.0.1-20", "300.1.1.1", "a b", "[::1]:80", "cam/x")),
    ],
)
def test_entries_that_match_nothing_are_known(entry: str, usable: bool) -> None:
    assert can_match(entry) is usable


def _answering(monkeypatch: pytest.MonkeyPatch, *numbers: str) -> None:
    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        if not numbers:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (n, port)) for n in numbers]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("number", REFUSED)
def test_a_name_that_leads_to_a_forbidden_number_is_refused(
    monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    _answering(monkeypatch, "192.168.1.20", number)
    with pytest.raises(CameraError) as refusal:
        resolve_host("camera.example", 554, AddressRules())
    assert refusal.value.code == "forbidden_address"


def test_a_scope_does_not_hide_a_link_local_number(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, "fe80::1%eth0")
    with pytest.raises(CameraError):
        resolve_host("camera.example", 554, AddressRules())


def test_good_numbers_come_in_order_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, "fd00::5", "192.168.1.20", "fd00::5")
    assert resolve_host("camera.example", 554, AddressRules()) == ["fd00::5", "192.168.1.20"]


@pytest.mark.parametrize("allowed", ["camera.example", "127.0.0.1", "127.0.0.0/8"])
def test_a_listed_name_or_number_may_be_reached(
    monkeypatch: pytest.MonkeyPatch, allowed: str
) -> None:
    _answering(monkeypatch, "127.0.0.1")
    assert resolve_host("camera.example", 554, AddressRules(allowed=(allowed,))) == ["127.0.0.1"]


def test_an_unknown_name_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch)
    with pytest.raises(CameraError) as refusal:
        resolve_host("camera.example", 554, AddressRules())
    assert refusal.value.code == "unknown_host"


def test_files_of_the_folder_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "cameras"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop/a.mp4").write_bytes(b"x")
    (folder / "b.mp4").symlink_to("shop/a.mp4")
    rules = AddressRules(folder=folder)
    for text in ("loop:shop/a.mp4", "loop:b.mp4"):
        address, _ = parse_address(text)
        check_address(address, rules)
        assert find_file(address, rules) == (folder / "shop/a.mp4").resolve()


@pytest.mark.parametrize("file", ["out.mp4", "outside/secret.mp4", "none.mp4", "shop", "circle"])
def test_files_outside_of_the_folder_do_not_exist(tmp_path: Path, file: str) -> None:
    folder, outside = tmp_path / "cameras", tmp_path / "cameras-of-others"
    (folder / "shop").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(b"x")
    (folder / "out.mp4").symlink_to(outside / "secret.mp4")
    (folder / "outside").symlink_to(outside)
    (folder / "circle").symlink_to("circle")
    with pytest.raises(CameraError) as refusal:
        check_address(CameraAddress("loop", file=file), AddressRules(folder=folder))
    assert refusal.value.code == "missing_file"
    assert str(tmp_path) not in refusal.value.message


def test_files_and_devices_may_be_switched_off() -> None:
    with pytest.raises(CameraError) as refusal:
        check_address(CameraAddress("loop", file="a.mp4"), AddressRules())
    assert refusal.value.code == "missing_file"
    with pytest.raises(CameraError) as refusal:
        check_address(CameraAddress("usb"), AddressRules(usb=False))
    assert refusal.value.code == "forbidden_address"
    check_address(CameraAddress("usb"), AddressRules())
