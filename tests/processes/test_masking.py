"""What a child says is masked before anything is written or told."""

from __future__ import annotations

from perfdb.processes.lines import LONGEST_LINE


def test_secrets_are_masked_in_the_log_and_in_what_is_told(follow, tmp_path):
    secret = "fake-secret-9c41"
    done = follow(
        f"""
        import sys
        print("the token is {secret}, again {secret}")
        print("{secret}", file=sys.stderr)
        print("PASSWORD=fake-password-77")
        """,
        secrets=(secret,),
    )
    assert len(done.log.lines) == 3
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("*.jsonl"))
    for planted in ("fake-secret", "fake-password"):
        assert planted.encode() not in kept
        assert planted not in repr(done.events)


def test_a_secret_at_the_cut_of_an_endless_line_is_masked(follow, tmp_path):
    secret = "fake-secret-" + "0123456789" * 10
    for lead in range(-len(secret), 1, 50):
        follow(f"print('x' * ({LONGEST_LINE} + {lead}) + '{secret}' * 3000)", secrets=(secret,))
        assert b"fake-secret" not in (tmp_path / "01-child.jsonl").read_bytes()
        assert b"23456789012345" not in (tmp_path / "01-child.jsonl").read_bytes()


def test_a_private_key_over_several_lines_is_masked(follow, tmp_path):
    body = ["RkFLRSBLRVkgRkFLRSBLRVkgRkFLRSBLRVkg" + tail for tail in ("AAAA", "BBBB", "Cg==")]
    lines = ["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----", "after"]
    done = follow("\n".join(f"print({line!r})" for line in lines))
    assert done.texts[-1] == "after"
    assert len(done.texts) == len(lines)
    assert b"RkFLRSBLRVkg" not in (tmp_path / "01-child.jsonl").read_bytes()


def test_the_folder_that_a_run_works_in_is_masked_as_a_home_is(follow, tmp_path):
    done = follow("print('no such file: /scratch/fake-person/7f/cold-1/000/x.err')", homes=("/scratch/fake-person",))
    assert [line.text for line in done.log.lines] == ["no such file: <home>/7f/cold-1/000/x.err"]
    assert b"fake-person" not in (tmp_path / "01-child.jsonl").read_bytes()
