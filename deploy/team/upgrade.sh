#!/usr/bin/env bash
# Both databases to the form that the installed MLflow wants: upgrade.sh /srv/perfdb-team/team.env
# The server must be stopped, and a backup made: an upgrade can't be undone. Where nothing is to do, nothing is done.
set -euo pipefail

settings=${1:?usage: upgrade.sh FILE, the settings of the server}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$here/settings.sh" "$settings"

mlflow=${MLFLOW_PROGRAM:-mlflow}
"$mlflow" db upgrade "$MLFLOW_BACKEND_STORE_URI"
"$(dirname "$(command -v "$mlflow")")/python" -m mlflow.server.auth db upgrade --url "$users_uri"
