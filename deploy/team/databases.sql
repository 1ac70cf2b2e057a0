-- The role and the two databases of the team's MLflow: one for runs, one for users and what they may do.
-- Run once, as PostgreSQL's own administrator: runuser -u postgres -- psql -v ON_ERROR_STOP=1 < deploy/team/databases.sql
-- The role has no password: the operating system's user of the same name comes in by the local socket (`peer`).

CREATE ROLE mlflow LOGIN;

CREATE DATABASE mlflow OWNER mlflow TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE mlflow_auth OWNER mlflow TEMPLATE template0 ENCODING 'UTF8';

REVOKE ALL ON DATABASE mlflow FROM PUBLIC;
REVOKE ALL ON DATABASE mlflow_auth FROM PUBLIC;
