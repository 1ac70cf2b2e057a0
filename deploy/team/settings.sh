# shellcheck shell=bash
# Read by backup.sh, restore.sh and upgrade.sh: the server's settings, and its two databases as PostgreSQL's programs
# take them, which don't know SQLAlchemy's `+psycopg`.
set -a
# shellcheck disable=SC1090
. "$1"
set +a
users_uri=$(sed -n 's/^database_uri *= *//p' "$MLFLOW_AUTH_CONFIG_PATH")
# shellcheck disable=SC2034
runs_database=${MLFLOW_BACKEND_STORE_URI/+psycopg/} users_database=${users_uri/+psycopg/}
