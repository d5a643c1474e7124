"""Where passwords stand in addresses, and that none of them stays there."""

import pytest

from vision.sources.cameras import AddressRules, CameraError, Credentials, parse_address
from vision.sources.cameras.opening import open_feed
from vision.sources.cameras.secrets import blank_secrets

pytestmark = pytest.mark.once

CAM = "http://cam/s.cgi"
FILLED = f"{CAM}?user={{username}}&pwd={{password}}"


@pytest.mark.parametrize(
    ("text", "address", "username", "password"),
    [
        (f"{CAM}?user=u&pwd=Se/cret", FILLED, "u", "Se/cret"),
        (f"{CAM}?user=u&pwd=a;b", FILLED, "u", "a;b"),
        (f"{CAM}?user=u&pwd=ab_c=d", FILLED, "u", "ab_c=d"),
        (f"{CAM}?user=a;b_c=d&pwd=x?y", FILLED, "a;b_c=d", "x?y"),
        (f"{CAM}?user=u;pwd=x", f"{CAM}?user={{username}};pwd={{password}}", "u", "x"),
        (f"{CAM}?c=1;pwd=x/y&d=2", f"{CAM}?c=1;pwd={{password}}&d=2", "", "x/y"),
        *(
            (f"{CAM}?c=1&{key}=x/y_z&d=2", f"{CAM}?c=1&{key}={{password}}&d=2", "", "x/y_z")
            for key in ("auth", "loginpass", "loginpas", "userpwd", "secret", "apikey", "token",
                        "API_Key", "access_token", "my-pass-word")
        ),
        ("rtsp://cam/a/apikey=x/b", "rtsp://cam/a/apikey={password}/b", "", "x"),
        ("rtsp://cam/a?channel=1", "rtsp://cam/a?channel=1", None, None),
    ],
)  # fmt: skip
def test_all_of_a_secret_is_taken_out(
    text: str, address: str, username: str | None, password: str | None
) -> None:
    found, credentials = parse_address(text)
    assert str(found) == address
    expected = Credentials(username, password or "") if username is not None else None
    assert credentials == expected
    assert parse_address(address)[0] == found


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:pass/s3cret@cam/live", "rtsp://admin:s3cret@cam:99999/live",
        "admin:s3cret@cam/live", "http://cam:0/?pwd=s3cret", "http://cam:0/?a=1&apikey=x/s3cret",
        "rtsp://cam:0/user=admin_password=s3cret_channel=1", "http://a:s3cret@cam/?u=http://x",
    ],
)  # fmt: skip
def test_nothing_of_an_unreadable_address_is_repeated(text: str) -> None:
    shown = blank_secrets(text, "again")
    assert "s3cret" not in shown
    assert "again" in shown


@pytest.mark.parametrize("text", ["", "rtsp://cam/live", "http://cam/a?b=1&c=2", "usb:0", "cam"])
def test_what_holds_no_secret_is_repeated(text: str) -> None:
    assert blank_secrets(text, "again") == text


@pytest.mark.parametrize(
    ("username", "password"),
    [("u", "a/b"), ("u", "a?b"), ("u", "a#b"), ("u:v", "p"), ("u&v", "p"), ("u", "p" * 300)],
)
def test_rtmp_refuses_passwords_that_it_cannot_carry(username: str, password: str) -> None:
    address, _ = parse_address("rtmp://192.0.2.1/app/key")
    with (
        pytest.raises(CameraError, match="Over RTMP") as refusal,
        open_feed(address, AddressRules(), Credentials(username, password), 5, lambda _: None),
    ):
        pass
    assert refusal.value.code == "bad_address"
    assert password not in refusal.value.message.split()
