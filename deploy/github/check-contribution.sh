#!/usr/bin/env bash
# Judge what a branch adds to a results repository: check-contribution.sh BASE HEAD [FOLDER]
#
# Run it in a checkout of BASE, with BASE's perfdb on PATH. HEAD must have been fetched; it is read as data, from git's
# objects, and never checked out. Nothing is fetched or sent.
#
# In FOLDER (default: contribution) afterwards: comment.md, to be shown to people, and labels.txt, one label a line.
# The exit code is that of `perfdb validate`: 0 nothing is wrong, 5 there are faults, anything else: it could not be judged.
set -euo pipefail

if [ "$#" -lt 2 ] || [ "$#" -gt 3 ]; then
    echo "usage: check-contribution.sh BASE HEAD [FOLDER]" >&2
    exit 2
fi
base=$1
head=$2
folder=${3:-contribution}
perfdb=${PERFDB:-perfdb}

mkdir -p "$folder"
: > "$folder/labels.txt"

code=0
"$perfdb" validate "--base=$base" "--head=$head" --markdown > "$folder/comment.md" || code=$?
if [ "$code" -ne 0 ] && [ "$code" -ne 5 ]; then
    printf '### This request could not be judged\n\nThe log of this check says why.\n' > "$folder/comment.md"
fi

# A config is code, which its readers will run: whoever merges must have read it.
# The first difference is enough: a few objects can make up a tree whose listing never ends. What can't be told is code.
if ! git diff --quiet "--end-of-options" "$base...$head" -- parsl-configs; then
    echo contains-code >> "$folder/labels.txt"
fi
exit "$code"
