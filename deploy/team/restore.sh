#!/usr/bin/env bash
# A backup into two empty databases and an empty folder: restore.sh /srv/perfdb-team/team.env /backup/perfdb-team/DATE
# The server must be stopped. What is there already is refused, never overwritten.
set -euo pipefail

usage="usage: restore.sh FILE FOLDER: the server's settings, and one backup"
settings=${1:?$usage}
backup=${2:?$usage}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$here/settings.sh" "$settings"

for database in "$runs_database" "$users_database"; do
    tables=$(psql --no-psqlrc -At -c "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'" "$database")
    if ((tables)); then
        echo "${database%%\?*} holds $tables tables: drop it and make it anew with databases.sql, then restore again" >&2
        exit 1
    fi
done
if [[ -d $MLFLOW_ARTIFACTS_DESTINATION && -n $(ls -A "$MLFLOW_ARTIFACTS_DESTINATION") ]]; then
    echo "$MLFLOW_ARTIFACTS_DESTINATION is not empty: move it away, then restore again" >&2
    exit 1
fi
pg_restore --exit-on-error --single-transaction --no-owner --dbname="$runs_database" "$backup/runs.dump"
pg_restore --exit-on-error --single-transaction --no-owner --dbname="$users_database" "$backup/users.dump"
umask 027
mkdir -p "$MLFLOW_ARTIFACTS_DESTINATION"
tar --extract --file="$backup/artifacts.tar" --directory="$MLFLOW_ARTIFACTS_DESTINATION"
