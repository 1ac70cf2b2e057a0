#!/usr/bin/env bash
# Both databases and the runs' files into a new folder: backup.sh /srv/perfdb-team/team.env /backup/perfdb-team
# The server may run meanwhile: each database is dumped as of one moment, and the files, which are only added to, after it.
set -euo pipefail

usage="usage: backup.sh FILE FOLDER: the server's settings, and where backups lie"
settings=${1:?$usage}
backups=${2:?$usage}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$here/settings.sh" "$settings"

umask 077 # a backup holds everybody's password hashes
made=$backups/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$backups"
mkdir "$made.part"
pg_dump --format=custom --no-owner --file="$made.part/runs.dump" "$runs_database"
pg_dump --format=custom --no-owner --file="$made.part/users.dump" "$users_database"
tar --create --file="$made.part/artifacts.tar" --directory="$MLFLOW_ARTIFACTS_DESTINATION" .
mv "$made.part" "$made" # the name without .part means that all of it is there
echo "$made"
