"""`perfdb init`: a new results repository for a group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from perfdb.cli.starter import Part
    from perfdb.gitrepo import Repository

Done = Literal["written", "same", "kept"]


def init(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Its folder, made if it is not there; default: the current one."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Start a results repository for a group.

    Writes a place for records and for configs, one config, settings, a README that says what to type, and workflows that
    judge pull requests and publish the report. Makes it a git repository if it is none; commits nothing. What is there
    already stays: doing it twice changes nothing, and a file that differs is kept and told.

    \b
    Examples:
      perfdb init results
      perfdb init results --dry-run
      cd results && perfdb init
    """
    from perfdb.cli.starter import parts
    from perfdb.cli.terminal import print_json

    place = Path.cwd() if folder is None else _given(folder)
    repository = _around(place)
    if folder is None and repository is not None:
        _refuse_perfdb(repository.top)
    done = [(part, _put(part, place, dry_run=dry_run)) for part in parts()]
    git_is_new = repository is None
    if repository is None and not dry_run:
        repository = _begin(place)
    written = [part.path for part, what in done if what == "written"]
    following = _next(repository, None if place == Path.cwd() else folder, written, dry_run=dry_run)
    if as_json:
        files = [{"path": part.path, "done": what} for part, what in done]
        document = {"folder": str(place), "dry_run": dry_run, "files": files, "git": "made" if git_is_new else "there"}
        print_json({**document, "next": following})
        return
    _tell(place, done, dry_run=dry_run, git_is_new=git_is_new)
    print("next:\n" + "\n".join(f"  {command}" for command in following))


def _given(folder: Path) -> Path:
    from perfdb.errors import UsageError
    from perfdb.settings import can_be_a_path, expanded

    if not can_be_a_path(str(folder)):
        raise UsageError(f"DIR is too long to be a path ({len(str(folder))} characters). Give a shorter one.")
    place = Path.cwd() / expanded(folder)
    # Resolved, as git names the top of a checkout: a link to it is not a folder below it.
    place = place.resolve()
    if place.exists() and not place.is_dir():
        raise UsageError(f"{folder} is a file. Name a folder, or one that is not there yet.")
    return place


def _around(place: Path) -> Repository | None:
    """The checkout whose top the folder is, or None.

    Raises:
        UsageError: the folder lies further down in a checkout, where no workflow would be found.
    """
    from perfdb.errors import UsageError
    from perfdb.gitrepo import Repository

    stands = next(folder for folder in (place, *place.parents) if folder.is_dir())
    repository = Repository.around(stands)
    if repository is not None and repository.top.resolve() != place.resolve():
        raise UsageError(
            f"{place} lies in the git checkout {repository.top}, and a results repository is one of its own. Name a folder "
            f"outside, perfdb init ~/results, or type git init {place} first if it shall be a repository in a repository."
        )
    return repository


def _refuse_perfdb(top: Path) -> None:
    """Stop before the results of a group go where perfdb's own code is, by a slip.

    Raises:
        UsageError: this is perfdb's checkout.
    """
    import tomllib

    from perfdb.errors import UsageError

    try:
        name = tomllib.loads((top / "pyproject.toml").read_text(encoding="utf-8")).get("project", {}).get("name")
    except (OSError, ValueError):
        return
    if name == "perfdb":
        raise UsageError(
            "this is perfdb's own checkout, no place for a group's results. Name another folder: perfdb init ../results. "
            "(If you mean this one, name it: perfdb init .)"
        )


def _put(part: Part, folder: Path, *, dry_run: bool) -> Done:
    from perfdb.registry.durable import cannot_write, put_new

    path = folder / part.path
    here = part.here(folder)
    if here == "differs":
        return "kept"
    done: Done = "same" if here == "same" else "written"
    if dry_run:
        return done
    try:
        if here == "missing":
            path.parent.mkdir(parents=True, exist_ok=True)
            if not put_new(path, part.data):
                return "kept"
        mode = path.stat().st_mode
        if part.executable and not mode & 0o100:
            path.chmod(mode | (mode & 0o444) >> 2)
    except OSError as error:
        raise cannot_write(path, error, "What was written stays; then type the same command again.") from error
    return done


def _begin(place: Path) -> Repository:
    from perfdb.errors import RegistryError
    from perfdb.gitrepo import GitFailed, Repository

    try:
        return Repository.begin(place)
    except GitFailed as error:
        raise RegistryError(
            f"the files are in {place}, but it could not be made a git repository: {error}. Mend that, and type the same "
            "command again."
        ) from error


def _next(repository: Repository | None, folder: Path | None, written: list[str], *, dry_run: bool) -> list[str]:
    """The commands that are still to be typed."""
    import shlex

    named = [] if folder is None else [shlex.quote(str(folder))]
    commands = [" ".join(["perfdb init", *named])] if dry_run else []
    commands += [f"cd {name}" for name in named]
    begun = repository is not None and repository.commit_at("HEAD") is not None
    if not begun:
        commands += ["git add .", 'git commit -m "Start a results repository"']
    elif written:
        commands += [f"git add {shlex.join(written)}", 'git commit -m "Add what a results repository needs"']
    if repository is None or not repository.remotes():
        commands += ["git remote add origin URL", "git push -u origin HEAD"]
    elif written or not begun:
        commands += ["git push -u origin HEAD"]
    return [*commands, "run-parsl-perf.py local_htex --time 5", "perfdb contribute --push"]


def _tell(place: Path, done: list[tuple[Part, Done]], *, dry_run: bool, git_is_new: bool) -> None:
    from perfdb.cli.terminal import printable

    would = "would be " if dry_run else ""
    words = {
        "written": f"{would}written",
        "same": "there already",
        "kept": "kept: it differs from what would be written",
    }
    print(printable(str(place)))
    for part, what in done:
        print(f"  {part.path:<45} {words[what]}")
    if any(part.path == "requirements.txt" and what != "kept" for part, what in done):
        print("requirements.txt lacks a line for perfdb itself: README.md says how to make it")
    if git_is_new:
        print(f"a git repository {would or 'was '}made, on the branch main; nothing is committed")
