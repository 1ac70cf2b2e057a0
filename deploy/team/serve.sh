#!/usr/bin/env bash
# The team's MLflow server in the foreground, with the settings of one file: serve.sh /srv/perfdb-team/team.env
# The program is the `mlflow` on PATH, or the one that MLFLOW_PROGRAM names.
set -euo pipefail

settings=${1:?usage: serve.sh FILE, a filled-in copy of team.env.example}
if grep -q '=change-me$' "$settings"; then
    echo "$settings still holds 'change-me': put in a secret of your own where it stands, then start again" >&2
    exit 2
fi
if [[ -n $(find -L "$settings" -perm /077) ]]; then
    echo "$settings holds secrets and is open to others: chmod 600 $settings" >&2
    exit 2
fi
set -a
# shellcheck disable=SC1090
. "$settings"
set +a

umask 027 # files that people send are their group's and nobody else's
mkdir -p "$MLFLOW_ARTIFACTS_DESTINATION"
cd "$MLFLOW_ARTIFACTS_DESTINATION" # where MLflow's defaults (./mlruns, ./mlflow.db) would do no harm
exec "${MLFLOW_PROGRAM:-mlflow}" server --app-name basic-auth
