"""A whole site, page by page."""

from __future__ import annotations

import csv
import json
import os
import re
import statistics
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest

from perfdb.errors import RegistryError
from perfdb.record import (
    Annotation,
    Code,
    ConfigRef,
    Environment,
    Finding,
    Host,
    Metric,
    Record,
    Retraction,
    SampleFile,
    Sitting,
    sha256_hex,
)
from perfdb.record.remarks import new_uuid
from perfdb.registry.remarks import save_remark
from perfdb.registry.samples import to_parquet
from perfdb.report.site import record_pages
from tests.report.site.sites import Page, build, dead_links, saved, tree
from tests.tracking.records import STARTED

DATA = Path(__file__).parents[3].parent / "shared" / "data"
EVIL = "\"'><img src=x onerror=alert(1)></script><script>alert(2)</script>{{7*7}} & \u202etxt\u202c \u2028"


def rate(*values: float) -> Metric:
    return Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=values)


def released(root: Path, version: str, *values: float, days: int = 0, **changes: object) -> Record:
    return saved(
        root,
        code=Code(perfdb_version="0.1.0", measured={"parsl": version}),
        metrics=(rate(*values),),
        started_at=STARTED + timedelta(days=days),
        ended_at=STARTED + timedelta(days=days, seconds=9),
        **changes,
    )


def test_every_record_can_be_reached_from_the_first_page_and_no_link_is_dead(tmp_path: Path) -> None:
    records = [released(tmp_path, "2026.10.26", 700.0, 710.0), saved(tmp_path, status="failed", reason="no node")]
    build(tmp_path, tmp_path / "site")
    assert dead_links(tmp_path / "site") == []
    seen, ahead = set(), [(tmp_path / "site" / "index.html").resolve()]
    while ahead:
        path = ahead.pop()
        if path not in seen and path.suffix == ".html":
            seen.add(path)
            ahead += [(path.parent / target.partition("#")[0]).resolve() for target in Page(path).targets]
    assert {f"{record.record_id}.html" for record in records} <= {path.name for path in seen}


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    for day in range(3):
        released(tmp_path, f"2026.{day + 1}.1", 700.0 + day, 705.0, 710.0, days=day)
    build(tmp_path, tmp_path / "one")
    build(tmp_path, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_strangers_text_is_text_on_every_page(tmp_path: Path) -> None:
    name = EVIL.replace("/", "").replace("\u202e", "").replace("\u202c", "").replace("\u2028", "").strip()
    record = saved(
        tmp_path,
        run_name=name,
        status="invalid",
        reason=EVIL,
        config=ConfigRef(name=EVIL, source_sha256="a" * 64, fingerprint="b" * 64),
        params={EVIL: EVIL},
        overrides={EVIL: EVIL},
        tags={"note": EVIL},
        findings=(Finding(name="bounded_by", value=EVIL, evidence=EVIL),),
        metrics=(Metric(name="warm_tasks_per_s", unit="</script>", direction="higher", values=(1.0, 2.0)),),
        code=Code(perfdb_version=EVIL, measured={"parsl": EVIL}),
        environment=Environment(
            machine="hopper", scheduler=EVIL, submit_host=Host(cpu_model=EVIL, packages={EVIL: EVIL})
        ),
    )
    good = {"status": "ok", "reason": None}
    twin = saved(tmp_path, **{**{n: getattr(record, n) for n in ("config", "metrics", "code", "environment")}, **good})
    note = Annotation(uuid=new_uuid(), at=STARTED, record_ids=(record.record_id, twin.record_id), note=EVIL)
    save_remark(tmp_path / "mlruns", note)
    save_remark(tmp_path / "mlruns", Retraction(uuid=new_uuid(), at=STARTED, record_id=twin.record_id, reason=EVIL))
    build(tmp_path, tmp_path / "site", title=EVIL, query=EVIL)
    for path in (tmp_path / "site").rglob("*.html"):
        page = Page(path)
        assert not [tag for tag, _ in page.elements if tag == "img" and "badges" not in path.parts]
        scripts = [a for tag, a in page.elements if tag == "script"]
        assert all("src" in a or a.get("type") == "application/json" for a in scripts)
        assert all(not name.startswith("on") for _, a in page.elements for name in a)
        assert not any(target.lower().startswith(("javascript:", "data:", "http")) for target in page.targets)
        assert page.text.count("{{7*7}}") == page.text.count("alert(2)")
        assert not set("\u202e\u202c") & set(path.read_text(encoding="utf-8"))
    page = Page(tmp_path / "site" / "records" / f"{record.record_id}.html")
    assert "</script><script>alert(2)</script>{{7*7}}" in page.text
    ET.parse(tmp_path / "site" / "changes.atom")
    for badge in (tmp_path / "site" / "badges").glob("*.svg"):
        ET.parse(badge)
    search = (tmp_path / "site" / "lists" / "records.js").read_text()
    rows = json.loads(re.fullmatch(r"window\.perfdbRecords=(.*);\n", search)[1])  # type: ignore[index]
    assert "</" not in search
    assert name in {row[1] for row in rows}


def test_charts_data_cannot_end_its_script(tmp_path: Path) -> None:
    samples = to_parquet({"mode": ["</script><b>", "serial"] * 60, "latency_s": [0.001 * i for i in range(120)]})
    file = SampleFile(
        file="samples.parquet", sha256=sha256_hex(samples), bytes=len(samples), rows=120, columns=("mode", "latency_s")
    )
    record = saved(tmp_path, {"samples.parquet": samples}, samples=(file,))
    build(tmp_path, tmp_path / "site")
    page = Page(tmp_path / "site" / "records" / f"{record.record_id}.html")
    assert "b" not in {tag for tag, _ in page.elements}
    assert [a["data-chart"] for tag, a in page.elements if tag == "figure"] != []


def test_invalid_failed_and_withdrawn_records_are_labelled_and_in_no_number(tmp_path: Path) -> None:
    released(tmp_path, "2026.1.1", 700.0)
    invalid = released(tmp_path, "2026.2.1", 7000.0, status="invalid", reason="too short")
    withdrawn = released(tmp_path, "2026.3.1", 9000.0)
    remark = Retraction(uuid=new_uuid(), at=STARTED, record_id=withdrawn.record_id, reason="wrong partition")
    save_remark(tmp_path / "mlruns", remark)
    build(tmp_path, tmp_path / "site")
    overview = Page(tmp_path / "site" / "index.html")
    history = next(path for path in (tmp_path / "site" / "history").glob("*--*.html"))
    assert "7,000" not in overview.text.split("Newest records")[0]
    assert "9,000" not in overview.text.split("Newest records")[0]
    assert "700 tasks/s" in overview.text
    assert "2 records left out" in Page(history).text
    assert "Invalid. too short" in Page(tmp_path / "site" / "records" / f"{invalid.record_id}.html").text
    page = Page(tmp_path / "site" / "records" / f"{withdrawn.record_id}.html")
    assert "Withdrawn on 2026-11-21: wrong partition" in page.text
    assert "status-withdrawn" in {c for _, a in page.elements for c in (a.get("class") or "").split()}


def test_the_newest_version_stands_against_the_one_before(tmp_path: Path) -> None:
    for day in range(8):
        released(tmp_path, "2026.1.1", 700.0 + day, days=day)
        released(tmp_path, "2026.2.1", 900.0 + day, days=day)
    build(tmp_path, tmp_path / "site")
    text = Page(tmp_path / "site" / "index.html").text
    assert "2026.2.1 903.5 tasks/s 8 \u00d7 1 2026.1.1 +28.4 %" in text
    assert "[+28." in text
    assert "1 better than the version before" in text
    badge = ET.parse(next((tmp_path / "site" / "badges").glob("*.svg"))).getroot()
    assert badge.attrib["aria-label"] == "local_htex on laptop-7f3a: 903.5 tasks/s · better"


def test_the_badge_of_a_simulated_number_says_so(tmp_path: Path) -> None:
    simulated = Metric(name="simulated_arm1_makespan_s", unit="s", direction="lower", values=(21.0,))
    code = Code(perfdb_version="0.1.0", measured={})
    saved(tmp_path, family="schedulers", experiment="schedulers", metrics=(simulated,), code=code, params={}, spec={})
    build(tmp_path, tmp_path / "site")
    labels = [ET.parse(file).getroot().attrib["aria-label"] for file in (tmp_path / "site" / "badges").glob("*.svg")]
    assert [label.endswith(": 21 s, simulated") for label in labels] == [True]


def test_a_record_links_to_its_sitting_and_to_what_it_does_again(tmp_path: Path) -> None:
    uuid = new_uuid()
    first = released(tmp_path, "2026.1.1", 700.0, sitting=Sitting(uuid=uuid, turns=(1,)))
    other = released(tmp_path, "2026.2.1", 700.0, sitting=Sitting(uuid=uuid, turns=(2,)), reproduces=first.record_id)
    build(tmp_path, tmp_path / "site")
    page = Page(tmp_path / "site" / "records" / f"{first.record_id}.html")
    assert page.targets.count(f"{other.record_id}.html") == 2
    assert f"perfdb reproduce {first.record_id}" in page.text
    assert f"Done again by {other.run_name}" in page.text
    assert uuid[:8] in Page(tmp_path / "site" / "comparisons" / "index.html").text


def test_what_took_turns_is_compared_arm_against_arm(tmp_path: Path) -> None:
    uuid = new_uuid()
    values = tuple(700.0 + i for i in range(8))
    ours, theirs = tuple(range(1, 17, 2)), tuple(range(2, 17, 2))
    released(tmp_path, "2026.1.1", *values, sitting=Sitting(uuid=uuid, turns=ours))
    released(tmp_path, "2026.2.1", *(v * 0.8 for v in values), sitting=Sitting(uuid=uuid, turns=theirs))
    build(tmp_path, tmp_path / "site")
    page = Page(tmp_path / "site" / "comparisons" / "index.html")
    assert page.text.count("8 and 8 repetitions 0.800 0.79") == 2  # as releases, and as arms
    assert page.text.count("worse") >= 2


def test_an_annotation_that_resets_the_baseline_leaves_no_version_before(tmp_path: Path) -> None:
    released(tmp_path, "2026.1.1", 700.0)
    later = released(tmp_path, "2026.2.1", 900.0, days=1)
    note = Annotation(uuid=new_uuid(), at=STARTED, record_ids=(later.record_id,), note="new CPU", resets_baseline=True)
    save_remark(tmp_path / "mlruns", note)
    build(tmp_path, tmp_path / "site")
    assert "no version before" in Page(tmp_path / "site" / "index.html").text
    history = next(path for path in (tmp_path / "site" / "history").glob("*--*.html"))
    assert "new CPU What came before is no measure for it." in Page(history).text


def test_a_feed_keeps_its_ids_when_more_comes_in(tmp_path: Path) -> None:
    def ids() -> list[str]:
        feed = ET.parse(tmp_path / "site" / "changes.atom").getroot()
        atom = "{http://www.w3.org/2005/Atom}"
        for entry in [feed, *feed.iter(f"{atom}entry")]:
            assert {f"{atom}id", f"{atom}title", f"{atom}updated"} <= {child.tag for child in entry}
        return [entry.findtext(f"{atom}id") or "" for entry in feed.iter(f"{atom}entry")]

    record = released(tmp_path, "2026.1.1", 700.0)
    remark = Retraction(uuid=new_uuid(), at=STARTED, record_id=record.record_id, reason="why not")
    save_remark(tmp_path / "mlruns", remark)
    build(tmp_path, tmp_path / "site")
    before = ids()
    released(tmp_path, "2026.2.1", 900.0, days=40)
    build(tmp_path, tmp_path / "site")
    assert len(before) == 2
    assert len(set(ids())) == 3
    assert set(before) < set(ids())


@pytest.mark.parametrize("address", ["https://site.example/perf", "https://site.example/perf/"])
def test_a_feed_has_whole_addresses_where_the_sites_is_known(tmp_path: Path, address: str) -> None:
    record = released(tmp_path, "2026.1.1", 700.0)
    remark = Retraction(uuid=new_uuid(), at=STARTED, record_id=record.record_id, reason="why not")
    save_remark(tmp_path / "mlruns", remark)

    def links() -> list[tuple[str | None, str | None]]:
        feed = ET.parse(tmp_path / "site" / "changes.atom").getroot()
        return [(link.get("rel"), link.get("href")) for link in feed.iter("{http://www.w3.org/2005/Atom}link")]

    build(tmp_path, tmp_path / "site", address=address)
    base = "https://site.example/perf"
    assert links()[:2] == [("alternate", f"{base}/changes.html"), ("self", f"{base}/changes.atom")]
    assert ("alternate", f"{base}/records/{record.record_id}.html") in links()
    assert all((href or "").startswith(f"{base}/") for _, href in links())
    build(tmp_path, tmp_path / "site")
    assert ("alternate", f"records/{record.record_id}.html") in links()
    assert "self" not in {rel for rel, _ in links()}


def test_many_records_are_listed_in_pages_of_two_hundred(tmp_path: Path) -> None:
    for _ in range(203):
        saved(tmp_path)
    build(tmp_path, tmp_path / "site")
    pages = sorted(path.name for path in (tmp_path / "site" / "lists").glob("2026*.html"))
    assert pages == ["2026-11-2.html", "2026-11.html"]
    linked = [t for name in pages for t in Page(tmp_path / "site" / "lists" / name).targets if "/records/" in t]
    assert len(set(linked)) == 203


def test_a_record_that_cannot_be_read_is_told_and_the_others_are_there(tmp_path: Path) -> None:
    released(tmp_path, "2026.1.1", 700.0)
    bad = released(tmp_path, "2026.2.1", 900.0)
    path = next((tmp_path / "mlruns").rglob(f"{bad.record_id}/record.json"))
    path.write_bytes(path.read_bytes().replace(b"900", b"999"))
    built = build(tmp_path, tmp_path / "site")
    assert (built.records, len(built.faults)) == (1, 1)
    assert "1 record could not be read" in Page(tmp_path / "site" / "index.html").text


def test_a_configs_source_is_shown_once_and_only_if_it_is_the_one_that_was_measured(tmp_path: Path) -> None:
    source = b"config = '</pre><b>'\n"
    ref = ConfigRef(name="local_htex", source_sha256=sha256_hex(source), fingerprint="b" * 64)
    record = saved(tmp_path, {"artifacts/config.py": source}, config=ref)
    saved(
        tmp_path,
        {"artifacts/config.py": b"config = 'other'\n"},
        config=ref.model_copy(update={"source_sha256": "c" * 64}),
    )
    build(tmp_path, tmp_path / "site")
    page = Page(tmp_path / "site" / "configs" / "local_htex.html")
    assert "config = '</pre><b>'" in page.text
    assert "other" not in page.text.split("Records")[0]
    assert (
        f"../configs/local_htex.html#source-{sha256_hex(source)[:12]}"
        in Page(tmp_path / "site" / "records" / f"{record.record_id}.html").targets
    )


def test_machines_named_alike_but_for_capitals_have_pages_of_their_own(tmp_path: Path) -> None:
    for name in ("hopper", "Hopper", "index"):
        saved(tmp_path, environment=Environment(machine=name))
    build(tmp_path, tmp_path / "site")
    names = [path.name.lower() for path in (tmp_path / "site" / "machines").iterdir()]
    assert len(set(names)) == len(names) == 4


def test_an_empty_registry_has_a_site_that_says_how_to_begin(tmp_path: Path) -> None:
    build(tmp_path, tmp_path / "site")
    assert dead_links(tmp_path / "site") == []
    assert "There are no records yet" in Page(tmp_path / "site" / "index.html").text


def test_every_number_has_its_definition(tmp_path: Path) -> None:
    record = released(tmp_path, "2026.1.1", 700.0, 710.0)
    build(tmp_path, tmp_path / "site")
    page = Page(tmp_path / "site" / "records" / f"{record.record_id}.html")
    titles = [a.get("title") or "" for tag, a in page.elements if tag == "a" and a.get("class") == "metric"]
    assert any("over the sum of their run times" in title and "higher is better" in title for title in titles)
    assert "705 tasks/s 700 tasks/s – 710 tasks/s (50.0 %) 2 700 710 tasks/s" in page.text


def test_the_report_of_the_schedulers_table_shows_its_eighteen_numbers(tmp_path: Path) -> None:
    table = DATA / "fluence" / "lammps-times.csv"
    if not table.exists():
        pytest.skip(f"{table} is not here")
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    with table.open() as file:
        for row in csv.DictReader(file):
            times[row["scheduler"], row["experiment"]].append(float(row["total_time"]))
    command = [sys.executable, "-c", "from perfdb.cli import main; main()", "import", "fluence", str(table)]
    (tmp_path / "perfdb.toml").touch()
    command += ["--date", "2024-02-01"]
    subprocess.run(command, env={**os.environ, "PERFDB_ROOT": str(tmp_path)}, check=True, capture_output=True)
    build(tmp_path, tmp_path / "site")
    text = Page(tmp_path / "site" / "experiments" / "schedulers.html").text.replace(",", "")
    numbers = [f for values in times.values() for f in (statistics.mean, statistics.stdev) for f in [f(values)]]
    assert len(numbers) == 18
    assert [n for n in numbers if f" {n:.7g} " not in text] == []


def test_two_processes_write_the_same_pages_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uuid = new_uuid()
    records = [released(tmp_path, f"2026.{n}.1", 700.0, sitting=Sitting(uuid=uuid, turns=(n,))) for n in (1, 2, 3)]
    for record in records:
        remark = Retraction(uuid=new_uuid(), at=STARTED, record_id=record.record_id, reason="why not")
        save_remark(tmp_path / "mlruns", remark)
    build(tmp_path, tmp_path / "one")
    monkeypatch.setattr(record_pages, "MANY", 2)
    build(tmp_path, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_record_that_changes_under_the_second_process_ends_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in (1, 2, 3):
        released(tmp_path, f"2026.{n}.1", 700.0, days=-n)
    monkeypatch.setattr(record_pages, "MANY", 2)

    def changed(what: str, *_: object) -> None:
        if what == "compare":
            for path in (tmp_path / "mlruns").rglob("record.json"):
                path.write_bytes(path.read_bytes())

    with pytest.raises(RegistryError, match="changed while the report was made"):
        build(tmp_path, tmp_path / "site", progress=changed)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(("families", "named"), [(["autoscale"] * 2 + ["throughput"], "autoscale"), ([], "throughput")])
def test_where_no_runs_took_turns_the_family_that_is_there_is_proposed(
    tmp_path: Path, families: list[str], named: str
) -> None:
    for family in [*families, "wfbench"]:
        saved(tmp_path, family=family)
    build(tmp_path, tmp_path / "site")
    words = Page(tmp_path / "site" / "comparisons" / "index.html").words
    assert f"perfdb run {named} CONFIG --parsl A --against B" in words
