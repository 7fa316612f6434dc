#!/bin/sh
# Runs a command beside fresh nodes on loopback, which it finds by DLEDGER_ADDRESS; nodes and data are gone afterwards.
# Usage: local-cluster.sh DLEDGER NODES FLUSH_MODE COMMAND [ARGUMENT...]
set -eu

dledger=$1 nodes=$2 mode=$3
shift 3
port=${DLEDGER_BENCH_PORT:-28081}
root=$(mktemp -d "${TMPDIR:-/var/tmp}/dledger-bench-XXXXXX")
pids=

stop() {
    id=0
    for pid in $pids; do
        id=$((id + 1))
        # By their ids: no other node of this machine is touched.
        kill -9 "$pid" 2>/dev/null || { echo "node $id had ended before:" >&2; tail -n 20 "$root/node$id.log" >&2; }
    done
    for pid in $pids; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$root"
}
trap stop EXIT
trap 'exit 130' INT TERM

members= addresses=
for id in $(seq "$nodes"); do
    client=$((port + id - 1)) peer=$((port + 100 + id - 1))
    members="$members${members:+, }{\"id\": $id, \"host\": \"127.0.0.1\", \"peerPort\": $peer, \"clientHost\": \"127.0.0.1\", \"clientPort\": $client}"
    addresses="$addresses${addresses:+,}127.0.0.1:$client"
done

for id in $(seq "$nodes"); do
    cat >"$root/node$id.json" <<END
{
  "nodeId": $id,
  "dataDirectory": "$root/data$id",
  "peerListenAddress": "127.0.0.1",
  "nodes": [$members],
  "client": {"listenAddress": "127.0.0.1"},
  "storage": {"flushMode": "$mode"}
}
END
    DOTNET_SYSTEM_BUFFERS_SHAREDARRAYPOOL_MAXARRAYSPERPARTITION=1024 \
        "$dledger" serve --config "$root/node$id.json" >"$root/node$id.log" 2>&1 &
    pids="$pids $!"
done

export DLEDGER_ADDRESS="$addresses" DOTNET_SYSTEM_BUFFERS_SHAREDARRAYPOOL_MAXARRAYSPERPARTITION=1024
tries=0
until "$dledger" cluster status --wait 1 2>/dev/null | grep -q leader; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
        echo "no node leads; the logs:" >&2
        tail -n 20 "$root"/node*.log >&2
        exit 1
    fi
    sleep 0.5
done

"$@"
