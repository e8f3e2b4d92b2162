"""The programs' environment: complete, never a real account, secrets that last, servers of one's own or none."""

import os
import stat
from pathlib import Path

import pytest

from boot.settings import read_settings
from devstack.addresses import Ports
from devstack.embedded import Urls
from devstack.environment import environment_for, forget_running, given_servers, remember_running, running

URLS = Urls("postgresql://backroom:x@127.0.0.1:5432/backroom", "redis://:x@127.0.0.1:6379/0")


def test_the_product_finds_all_the_settings_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in environment_for(URLS, Ports(), tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.database_url.get_secret_value() == URLS.database_url
    assert settings.stripe_base_url == "http://127.0.0.1:8010"
    assert settings.auth_jwks_url == "http://127.0.0.1:8001/.well-known/jwks.json"
    assert (settings.auth_issuer, settings.auth_audience) == ("http://127.0.0.1:8001", "backroom")
    assert str(settings.admin_sign_in_url) == "http://127.0.0.1:8001/sign-in"
    assert settings.smtp_url == "smtp://127.0.0.1:8025"


def test_a_real_stripe_key_in_the_persons_shell_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_0123456789")
    made = environment_for(URLS, Ports(), tmp_path)
    assert made["STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert made["STRIPE_BASE_URL"].startswith("http://127.0.0.1:")


def test_webhook_secrets_that_a_person_named_are_used_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_new,whsec_old")
    assert environment_for(URLS, Ports(), tmp_path)["STRIPE_WEBHOOK_SECRETS"] == "whsec_new,whsec_old"
    assert "whsec_old" not in (tmp_path / "secrets.json").read_text()
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", " ,")
    assert environment_for(URLS, Ports(), tmp_path)["STRIPE_WEBHOOK_SECRETS"].startswith("whsec_")


def test_secrets_stay_the_same_between_runs_and_are_their_owners_only(tmp_path: Path) -> None:
    first, second = (environment_for(URLS, Ports(), tmp_path) for _ in range(2))
    assert first == second
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_two_folders_have_different_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRETS", raising=False)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = (environment_for(URLS, Ports(), tmp_path / name) for name in ("one", "two"))
    for name in ("SERVICE_TOKEN", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"):
        assert one[name] != two[name]


def test_servers_of_ones_own_are_used_when_both_are_named() -> None:
    assert given_servers({"DATABASE_URL": URLS.database_url, "REDIS_URL": URLS.redis_url}) == URLS
    assert given_servers({}) is None


@pytest.mark.parametrize(("has", "lacks"), [("DATABASE_URL", "REDIS_URL"), ("REDIS_URL", "DATABASE_URL")])
def test_one_server_of_ones_own_and_none_of_the_other_kind_is_refused(has: str, lacks: str) -> None:
    with pytest.raises(ValueError, match=f"{has} is set but {lacks} is not"):
        given_servers({has: "x://y"})


def test_what_runs_is_remembered_for_other_terminals_and_forgotten_at_the_end(tmp_path: Path) -> None:
    remember_running(tmp_path, {"PORT": "8000"}, {"web": 1})
    assert running(tmp_path) == {"PORT": "8000"}
    assert stat.S_IMODE((tmp_path / "up.json").stat().st_mode) == 0o600
    forget_running(tmp_path)
    assert running(tmp_path) == {}
