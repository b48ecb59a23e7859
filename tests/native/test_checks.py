import pytest

from midipool_native import checks, jack
from midipool_native._rt import ffi
from midipool_native.checks import NativeError
from midipool_native.spooler import Spooler


def test_each_status_has_a_text_of_its_own() -> None:
    statuses = ffi.typeof("mp_status").elements
    texts = {checks.status_text(status) for status in statuses}
    assert len(texts) == len(statuses)
    assert "unknown status" not in texts
    assert checks.status_text(999) == "unknown status"


def test_a_status_that_is_not_fine_is_raised() -> None:
    checks.check(checks.OK, "doing")
    with pytest.raises(NativeError, match="spooling: the queue is full") as caught:
        checks.check(checks.FULL, "spooling")
    assert caught.value.status == checks.FULL


@pytest.mark.skipif(not jack.library_found(), reason="there is no JACK library")
def test_where_no_jack_server_runs_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "midipool-test-no-such-server")
    with pytest.raises(NativeError) as caught:
        jack.JackSink(Spooler(), "sink", "out", "in")
    assert caught.value.status == checks.NO_JACK_SERVER
    with pytest.raises(NativeError, match="JACK client 'meter'"):
        jack.JackMeter("meter")
