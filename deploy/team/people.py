#!/usr/bin/env python3
"""Who may do what on the team's MLflow server; standard library alone.

    people.py add NAME ROLE      a new account, or another role for one that is there; asks for a new account's password
    people.py password NAME      a new password; asks for it
    people.py remove NAME        the account; what it sent stays
    people.py list               everybody, with their role

ROLE is `editor` (sees everything, sends records), `reader` (sees everything) or `admin` (may do all, accounts too).

The server and the administrator who asks stand in MLflow's own variables: MLFLOW_TRACKING_URI,
MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; what is not set is asked for. A password is typed, or is the
first line of standard input; it is never an argument, which every user of the host could read.
"""

import argparse
import base64
import contextlib
import getpass
import json
import os
import sys
import urllib.error
import urllib.request

# What perfdb needs of MLflow: to add to the experiments of others, and to delete the doubled run of a record.
ROLES = {
    "editor": (("experiment", "EDIT"), ("run", "MANAGE")),
    "reader": (("experiment", "READ"),),
}
WORKSPACE = "default"  # MLflow's only one, where it has not been told to have several
V2, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"


class Refused(Exception):
    """What the server answered, to be read by a person."""


class Accounts:
    """The accounts of one server, as an administrator sees them."""

    def __init__(self, uri, user, password):
        self._uri = uri.rstrip("/")
        signed = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._authorization = f"Basic {signed}"

    def add(self, name, role, ask_password):
        """Make the account where there is none, and give it this role in place of any other."""
        known = self.everybody()
        if name not in known:
            self._ask("POST", f"{V2}/users/create", username=name, password=ask_password())
        for other in ROLES:
            if other != role and other in known.get(name, ()):
                self._ask("DELETE", f"{V3}/roles/unassign", username=name, role_id=self._role(other))
        if role in ROLES and role not in known.get(name, ()):
            self._ask("POST", f"{V3}/roles/assign", username=name, role_id=self._role(role))
        if (role == "admin") != ("admin" in known.get(name, ())):
            self._ask("PATCH", f"{V2}/users/update-admin", username=name, is_admin=role == "admin")

    def set_password(self, name, password):
        """A new password for somebody else; one's own is changed on MLflow's page, which asks for the old one."""
        self._ask("PATCH", f"{V2}/users/update-password", username=name, password=password)

    def remove(self, name):
        """End the account."""
        self._ask("DELETE", f"{V2}/users/delete", username=name)

    def everybody(self):
        """Name -> the roles of it that this program knows."""
        users = self._ask("GET", f"{V2}/users/list")["users"]
        roles = {user["username"]: {role["name"] for role in user["roles"]} & ROLES.keys() for user in users}
        return {
            user["username"]: roles[user["username"]] | ({"admin"} if user["is_admin"] else set()) for user in users
        }

    def _role(self, name):
        """Its number; made where it is not there, and completed where its making was cut off."""
        roles = self._ask("GET", f"{V3}/roles/list?workspace={WORKSPACE}")["roles"]
        known = next((role for role in roles if role["name"] == name), None)
        known = known or self._ask("POST", f"{V3}/roles/create", workspace=WORKSPACE, name=name)["role"]
        held = self._ask("GET", f"{V3}/roles/permissions/list?role_id={known['id']}")["role_permissions"]
        for resource, permission in ROLES[name]:
            if (resource, permission) not in {(grant["resource_type"], grant["permission"]) for grant in held}:
                grant = {"resource_type": resource, "resource_pattern": "*", "permission": permission}
                self._ask("POST", f"{V3}/roles/permissions/add", role_id=known["id"], **grant)
        return known["id"]

    def _ask(self, method, path, **body):
        data = json.dumps(body).encode() if body else None
        # The address is the administrator's own.
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._uri + path, data, headers, method=method)  # noqa: S310
        # Not to whomever the server may send us on to.
        request.add_unredirected_header("Authorization", self._authorization)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code == 401:
                raise Refused(f"{self._uri} knows no such user and password") from None
            if error.code == 403:
                raise Refused(f"{self._uri} lets only administrators do this") from None
            said = error.read().decode(errors="replace")
            with contextlib.suppress(ValueError, KeyError, TypeError):
                said = json.loads(said)["message"]
            raise Refused(f"{self._uri} answered {error.code}: {said[:300]}") from None
        except OSError as error:
            raise Refused(f"{self._uri} cannot be reached: {error}") from None


def secret(what):
    """Typed without being shown, or the next line of standard input."""
    return getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def main():
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("add", "password", "remove", "list"):
        command = commands.add_parser(name)
        if name != "list":
            command.add_argument("name")
        if name == "add":
            command.add_argument("role", choices=[*ROLES, "admin"])
    asked = parser.parse_args()
    uri = os.environ.get("MLFLOW_TRACKING_URI") or input("address of the server: ")
    admin = os.environ.get("MLFLOW_TRACKING_USERNAME") or input("administrator: ")
    password = os.environ.get("MLFLOW_TRACKING_PASSWORD") or secret(f"password of {admin}")
    accounts = Accounts(uri, admin, password)
    try:
        if asked.command == "add":
            accounts.add(asked.name, asked.role, lambda: secret(f"a password for {asked.name}, 12 characters at least"))
        elif asked.command == "password":
            accounts.set_password(asked.name, secret(f"the new password of {asked.name}"))
        elif asked.command == "remove":
            accounts.remove(asked.name)
        else:
            for name, roles in sorted(accounts.everybody().items()):
                print(name, ", ".join(sorted(roles)) or "no role", sep="\t")
    except Refused as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
