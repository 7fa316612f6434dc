#!/bin/sh
# Installs the Debian packages of the compared brokers, unless they are there: install-peers.sh nats-server rabbitmq-server
#
# The packages' scripts would start a service each. Debian asks /usr/sbin/policy-rc.d first, so that answers "no" (101) while
# this runs; whatever stood in its place comes back, also when the script is interrupted. Packages that were there before are
# not touched, and neither are their services. A package that cannot be installed is reported by the exit status 1; the
# comparison then goes on without it.
set -eu

# Another place for the tests of this script.
policy=${POLICY_FILE:-/usr/sbin/policy-rc.d}
kept=$policy.before-dledger-bench

missing=
for package in "$@"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" != installed ]; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "To install$missing: run this script as root, for example: sudo $0$missing" >&2
    exit 1
fi

restore() {
    rm -f "$policy"
    if [ -e "$kept" ]; then mv "$kept" "$policy"; fi
}

# A kept file of an interrupted run (killed with -9) is the original; what lies in its place is ours.
if [ -e "$policy" ] && [ ! -e "$kept" ]; then mv "$policy" "$kept"; fi
trap restore EXIT
trap 'exit 130' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' > "$policy"
chmod 755 "$policy"

# Erlang's port mapper comes with its own service, unless Erlang was there before.
epmd=
if ! command -v epmd >/dev/null; then epmd="epmd.service epmd.socket"; fi

export DEBIAN_FRONTEND=noninteractive
status=0
for package in $missing; do
    echo "Installing $package from Debian"
    install="apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=60 $package"
    if ! timeout 600 $install >/dev/null; then
        # Stale package lists are the usual cause.
        timeout 300 apt-get update -qq && timeout 600 $install >/dev/null || { echo "$package could not be installed" >&2; status=1; }
    fi
    # Where there is a service manager, the next boot would start it after all.
    if command -v systemctl >/dev/null; then
        for unit in "$package.service" $epmd; do systemctl disable "$unit" >/dev/null 2>&1 || true; done
    fi
done
exit $status
