"""The supervisor runs real programs: it signals whole groups, restarts what crashed, kills what is stubborn."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from devstack.processes import Program, ProgramFailed, Supervisor, read_procfile

REPOSITORY = Path(__file__).parents[2]
# Says who it is, then waits; the shell and its child are one group of two.
FAMILY = "echo head $$; sh -c 'echo child $$; exec sleep 100' & wait"
STUBBORN = "trap '' TERM; echo deaf $$; while :; do sleep 0.1; done"


def test_the_procfile_is_read_line_by_line_without_comments(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("# what runs\nrelease: a b\n\nweb: serve --port ${PORT:-8000}\n")
    assert [(one.name, one.command) for one in read_procfile(tmp_path / "Procfile")] == [
        ("release", "a b"),
        ("web", "serve --port ${PORT:-8000}"),
    ]


def test_a_line_that_is_no_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: serve\njust words\n")
    with pytest.raises(ValueError, match=r"line 2: expected 'name: command', found 'just words'"):
        read_procfile(tmp_path / "Procfile")


def test_the_projects_own_procfile_has_a_web_line() -> None:
    assert "web" in [program.name for program in read_procfile(REPOSITORY / "Procfile")]


def test_a_program_gets_its_environment_and_the_shell_reads_its_line(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"web": "echo port ${PORT:-8000} $COLOUR; sleep 100"}, {"PORT": "5000"}, COLOUR="red")
    with stage.supervisor:
        stage.wait_for("web", "port 5000 red")


def test_lines_go_to_the_log_and_with_a_name_to_the_terminal(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"web": "echo out; echo err >&2; printf unfinished; exec sleep 100"})
    with stage.supervisor:
        stage.wait_for("web", "err")
    assert (tmp_path / "logs" / "web.log").read_text() == "out\nerr\nunfinished\n"
    assert stage.terminal().splitlines() == ["web │ out", "web │ err", "web │ unfinished"]


def test_a_quiet_supervisor_keeps_the_lines_in_the_log_alone(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"web": "echo out; exec sleep 100"}, show=False)
    with stage.supervisor:
        stage.wait_for("web", "out")
    assert stage.terminal() == ""


def test_stopping_signals_the_whole_group_and_waits_for_a_graceful_end(tmp_path: Path) -> None:
    child = "trap 'sleep 0.5; echo child done; exit' TERM; echo ready; while :; do sleep 0.05; done"
    stage = Stage(tmp_path, {"worker": f'trap : TERM; sh -c "{child}"'})
    with stage.supervisor:
        stage.wait_for("worker", "ready")
        assert stage.supervisor.stop() == []
    assert "child done" in (tmp_path / "logs" / "worker.log").read_text()


def test_every_process_of_a_group_is_gone_after_the_stop(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"worker": FAMILY})
    with stage.supervisor:
        pids = [stage.number("worker", "head"), stage.number("worker", "child")]
    assert [pid for pid in pids if _lives(pid)] == []


def test_a_stubborn_program_is_killed_after_the_grace_and_named(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"stubborn": STUBBORN, "polite": "echo up; exec sleep 100"}, grace_s=0.5)
    with stage.supervisor:
        pid = stage.number("stubborn", "deaf")
        assert stage.supervisor.stop() == ["stubborn"]
    assert not _lives(pid)


def test_neighbours_live_until_the_shops_own_programs_have_ended(tmp_path: Path) -> None:
    own = "trap 'sleep 0.3; kill -0 $(cat neighbour.pid) && echo neighbour lives; exit' TERM; echo up; "
    own += "while :; do sleep 0.05; done"
    programs = [
        Program("neighbour", "echo $$ > neighbour.pid; echo up; exec sleep 100", neighbour=True),
        Program("own", own),
    ]
    stage = Stage(tmp_path, programs)
    with stage.supervisor:
        stage.wait_for("neighbour", "up")
        stage.wait_for("own", "up")
    assert "neighbour lives" in (tmp_path / "logs" / "own.log").read_text()


def test_a_crashed_program_is_started_again_and_its_orphans_are_gone(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"worker": FAMILY})
    with stage.supervisor as supervisor:
        head, child = stage.number("worker", "head"), stage.number("worker", "child")
        os.kill(head, signal.SIGKILL)
        stage.tend_until(lambda: supervisor.pid("worker") not in {None, head})
        assert not _lives(child)
    assert f"worker (process {head}) ended by itself, killed by SIGKILL" in stage.terminal()


def test_a_program_that_keeps_crashing_is_given_up_with_its_last_lines(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"broken": "echo missing setting >&2; exit 3"}, first_delay_s=0.01)
    with pytest.raises(ProgramFailed) as failed, stage.supervisor:
        stage.tend_until(lambda: False)
    assert "broken ended 5 times in a row (exit code 3)" in str(failed.value)
    assert "missing setting" in str(failed.value)


def test_waiting_for_readiness_ends_when_every_check_has_said_yes(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"web": "sleep 0.3; touch is-up; exec sleep 100"})
    with stage.supervisor as supervisor:
        supervisor.wait_ready({"web": (tmp_path / "is-up").exists}, within_s=10)
        assert (tmp_path / "is-up").exists()


def test_a_program_that_never_gets_ready_is_named_with_its_last_lines(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"web": "echo waiting for godot; exec sleep 100"})
    with stage.supervisor as supervisor:
        stage.wait_for("web", "godot")
        with pytest.raises(ProgramFailed, match=r"Not ready after 0 s: web\.\n.*\n  waiting for godot"):
            supervisor.wait_ready({"web": lambda: False}, within_s=0.2)


def test_after_kill_9_of_the_supervisor_nothing_outlives_it_not_even_the_stubborn(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import sys, time; from pathlib import Path; from rich.console import Console\n"
        "from devstack.processes import Program, Supervisor\n"
        f"programs = [Program('family', {FAMILY!r}), Program('stubborn', {STUBBORN!r})]\n"
        "folder = Path(sys.argv[1])\n"
        "with Supervisor(programs, folder=folder, environment={'PATH': '/usr/bin:/bin'}, logs=folder / 'logs',\n"
        "                console=Console()):\n"
        "    time.sleep(100)\n"
    )
    argv, environment = [sys.executable, tmp_path / "run.py", tmp_path], {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    supervisor = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    lines = [supervisor.stdout.readline() for _ in range(3)]
    supervisor.kill()
    supervisor.wait()
    pids = [int(line.split()[-1]) for line in lines]
    assert len(pids) == 3
    _wait_until(lambda: not any(_lives(pid) for pid in pids), within_s=10)


class Stage:
    """A supervisor with its programs, and what a person at the terminal would see of it."""

    def __init__(
        self,
        folder: Path,
        programs: Mapping[str, str] | list[Program],
        own: Mapping[str, str] | None = None,
        *,
        show: bool = True,
        grace_s: float = 10,
        first_delay_s: float = 0.2,
        **environment: str,
    ) -> None:
        if isinstance(programs, Mapping):
            programs = [Program(name, command, own or {}) for name, command in programs.items()]
        self._screen = io.StringIO()
        self._logs = folder / "logs"
        self.supervisor = Supervisor(
            programs,
            folder=folder,
            environment={"PATH": os.environ["PATH"], **environment},
            logs=self._logs,
            console=Console(file=self._screen, width=200),
            show=show,
            grace_s=grace_s,
            first_delay_s=first_delay_s,
        )

    def terminal(self) -> str:
        return self._screen.getvalue()

    def wait_for(self, name: str, text: str) -> None:
        _wait_until(lambda: any(text in line for line in self.supervisor.output.last_lines(name)))

    def number(self, name: str, word: str) -> int:
        """The pid that a program printed behind `word`."""
        self.wait_for(name, f"{word} ")
        line = next(line for line in self.supervisor.output.last_lines(name) if line.startswith(word))
        return int(line.split()[-1])

    def tend_until(self, condition: Callable[[], bool]) -> None:
        def tended() -> bool:
            self.supervisor.tend()
            return condition()

        _wait_until(tended)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _wait_until(condition: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)
