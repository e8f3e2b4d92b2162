"""What a request tells about its sender, and nothing more than that is kept."""

import pytest

from shop.analytics.events import consent, visitors
from tests.shop.analytics.conftest import PERSON

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Mobile/15E148 Safari/604.1"
TABLET = "Mozilla/5.0 (iPad; CPU OS 19_0 like Mac OS X) AppleWebKit/605.1 Mobile/15E148"


@pytest.mark.parametrize(
    ("agent", "score"),
    [
        (PERSON, 0),
        (PHONE, 0),
        ("", 30),
        ("curl/8.5", 30),
        ("python-requests/2.32", 30),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", 100),
        ("Mozilla/5.0 HeadlessChrome/140.0", 100),
        ("Mozilla/5.0 (Linux; CUBOT X30) Mobile", 0),
    ],
)
def test_machines_are_told_from_people(agent: str, score: int) -> None:
    assert visitors.bot_score(agent)[0] == score


@pytest.mark.parametrize(("agent", "kind"), [(PERSON, "desktop"), (PHONE, "phone"), (TABLET, "tablet"), ("", None)])
def test_the_device_is_known_by_its_kind_only(agent: str, kind: str | None) -> None:
    assert visitors.device(agent) == kind


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/p/1?mail=me@example.com", "/p/1"), ("/p#token=1", "/p"), ("/a/b", "/a/b"), ("?x=1", ""), (None, None)],
)
def test_what_stands_behind_a_path_is_not_kept(path: str | None, kept: str | None) -> None:
    assert visitors.plain_path(path) == kept


@pytest.mark.parametrize(
    ("referrer", "campaign", "channel"),
    [
        (None, None, "direct"),
        ("https://www.google.co.uk/search?q=a", None, "search"),
        ("https://m.facebook.com/", None, "social"),
        ("https://t.co/abc", None, "social"),
        ("https://notgoogle.example.org/", None, "referral"),
        ("https://netflix.com/", None, "referral"),
        ("https://www.google.com/", "autumn", "campaign"),
        ("http://[broken", None, "direct"),
    ],
)
def test_the_channel_follows_from_campaign_and_referrer(
    referrer: str | None, campaign: str | None, channel: str
) -> None:
    assert visitors.channel(campaign, visitors.referrer_host(referrer)) == channel


@pytest.mark.parametrize(
    ("said", "mask"),
    [
        (True, 7),
        (False, 0),
        (5, 5),
        ("granted", 7),
        ("denied", 0),
        ({"analytics": True, "marketing": False, "unknown": True}, 1),
    ],
)
def test_consent_is_understood_in_the_words_of_common_dialogues(said: consent.Said, mask: int) -> None:
    assert consent.mask(said) == mask


def test_a_consent_that_is_no_sum_of_purposes_is_not_taken_for_all_of_them() -> None:
    with pytest.raises(ValueError, match="sum of 1 analytics"):
        consent.mask(-1)
