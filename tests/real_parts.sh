#!/usr/bin/env bash
# The real parts that tests look at, besides Python's: installed where this machine lets us, told where it does not.
set -euo pipefail

declare -A needed=( # a program -> the package of Debian and Ubuntu that has it
    [shellcheck]=shellcheck
    [ps]=procps               # Parsl's LocalProvider ends its blocks with it
    [chromium]=chromium       # the pages are looked at in a real browser
    [munged]=munge            # the pocket cluster's
    [slurmctld]=slurm-wlm
    [slurmdbd]=slurmdbd       # and what its accounting needs
    [mariadbd]=mariadb-server
    [podman]=podman # a service's scripts can run in its containers
    [runc]=runc
    [busybox]=busybox-static
)
PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin" # where daemons lie, which an ordinary user's PATH may lack

missing=()
for program in "${!needed[@]}"; do
    command -v "$program" >/dev/null || missing+=("${needed[$program]}")
done
# A library that slurmdbd loads, with no program of its own.
compgen -G "/usr/lib/*/slurm-wlm/accounting_storage_mysql.so" >/dev/null || missing+=(slurm-wlm-mysql-plugin)
# The server lies in a folder of its version's; a team's MLflow keeps its runs there.
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
((${#missing[@]})) || exit 0

as_root=()
((EUID == 0)) || as_root=(sudo -n)
if command -v apt-get >/dev/null && { ((EUID == 0)) || sudo -n true 2>/dev/null; }; then
    echo "installing for the tests: ${missing[*]}"
    # No package may start a service: the tests start what they need, and stop it. Debian's packages ask this program.
    if [[ ! -e /usr/sbin/policy-rc.d ]]; then
        trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
        "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
else
    echo "the tests of these parts will fail here: ${missing[*]}" >&2
    echo "install them as root, then run the tests again: apt-get install ${missing[*]}" >&2
fi
