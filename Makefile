# The developers' entry points. `make verify` only reads; `make fix` rewrites.
CONFIGURATION ?= Release
JS := tests/Dledger.Integration.Tests/js

.PHONY: publish verify format build test conformance fix demo sim sim-features soak sim-raft mutations crash-rounds bench bench-unary bench-peers bench-micro garbage chaos chaos-gaps feature-kills power-loss io-errors large-log catch-up timers fuzz-sql

verify: format build test

format:
	dotnet format Dledger.sln --verify-no-changes

build:
	dotnet build Dledger.sln

test:
	dotnet test

# The checklist of the protocol, to the letter (six minutes), as a table: make conformance
RESULTS := $(CURDIR)/artifacts/conformance
CONFORMANCE = dotnet test tests/Dledger.Conformance.Tests -c $(CONFIGURATION) --no-build --results-directory $(RESULTS)
conformance:
	dotnet build tests/Dledger.Conformance.Tests -c $(CONFIGURATION)
	DLEDGER_CONFORMANCE_LONG=1 $(CONFORMANCE) --logger "trx;LogFileName=conformance.trx" || true
	dotnet run --project tests/Dledger.Conformance.Tests -c $(CONFIGURATION) --no-build -- $(RESULTS)/conformance.trx

fix:
	dotnet format Dledger.sln

$(JS)/node_modules/.package-lock.json: $(JS)/package-lock.json
	npm ci --prefix $(JS) --no-audit --no-fund

# Three nodes, the official Node.js SDK, the leader killed five times: make demo
demo: $(JS)/node_modules/.package-lock.json
	dotnet build src/Dledger.Cli -c $(CONFIGURATION)
	node $(JS)/demo.mjs --configuration $(CONFIGURATION)

# Whole nodes in one thread: make sim [SEEDS=2000] [START=1], or replay one run with a trace: make sim SEED=n
SEEDS ?= 2000
START ?= 1
SIM = dotnet run --project tests/Dledger.ClusterSimulation -c $(CONFIGURATION) --
sim:
	$(SIM) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --start $(START))

# As many runs as it takes for each feature to be in EACH of them, more than an hour: make sim-features [EACH=2000] [START=1]
EACH ?= 2000
sim-features:
	$(SIM) --each $(EACH) --start $(START)

# The same until the time is over: make soak [MINUTES=60]
soak: MINUTES = 60
soak:
	$(SIM) --minutes $(MINUTES) --start $(START)

# The Raft core alone: make sim-raft [SEEDS=20000] [START=1] [SEED=n]
sim-raft: SEEDS = 20000
sim-raft:
	dotnet run --project tests/Dledger.Simulation -c $(CONFIGURATION) -- $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --start $(START))

# Each seeded defect must be found, in the Raft core and in whole nodes: make mutations [RUNS=5000]
RUNS ?= 5000
mutations:
	dotnet run --project tests/Dledger.Simulation -c $(CONFIGURATION) -- --mutations $(RUNS)
	$(SIM) --mutations

# A node killed by strace at a random write or sync, then everything acked is read back: make crash-rounds [ROUNDS=50]
ROUNDS ?= 50
crash-rounds: $(JS)/node_modules/.package-lock.json
	dotnet build src/Dledger.Cli -c $(CONFIGURATION)
	node $(JS)/crash-rounds.mjs --configuration $(CONFIGURATION) --rounds $(ROUNDS)

# Every workload on three fresh nodes of this machine, appended to docs/benchmarks.md:
# make bench [SIZES=100,1KiB,16KiB] [MODE=QUORUM_ASYNC] [NODES=3] [BENCH_FLAGS="--duration 30s"] [DOCS=]
bench: SIZES = 1KiB
bench: MODE = QUORUM_SYNC
bench: NODES = 3
bench: DOCS = docs/benchmarks.md
bench: publish
	tests/Dledger.Benchmarks/local-cluster.sh $(PUBLISHED)/dledger $(NODES) $(MODE) \
		$(PUBLISHED)/dledger bench all --size $(SIZES) --backlog-size 5GiB $(if $(DOCS),--append $(DOCS)) $(BENCH_FLAGS)

# Unary produce on one and on three nodes: make bench-unary [SECONDS=10]
SECONDS ?= 10
bench-unary:
	dotnet build tests/Dledger.Benchmarks -c $(CONFIGURATION)
	dotnet run --project tests/Dledger.Benchmarks -c $(CONFIGURATION) --no-build -- \
		src/Dledger.Cli/bin/$(CONFIGURATION)/net10.0/dledger $(SECONDS)

# Dledger beside NATS JetStream and RabbitMQ, installed from Debian when they are missing; about 40 minutes, see docs/benchmarks.md:
# make bench-peers [SECONDS=10] [WARM_UP=5] [ROUNDS=3] [BODY=1024] [ONLY=dledger-v2-sync,rabbitmq] [ROWS=produce-1,consume] [DOCS=]
# The array pool of .NET is small on few cores, and every client here holds hundreds of buffers.
PEERS = nats-server rabbitmq-server
DOCS = $(CURDIR)/docs/benchmarks.md
bench-peers: ROUNDS = 3
bench-peers: publish
	tests/Dledger.Benchmarks/Servers/install-peers.sh $(PEERS) || true
	dotnet build tests/Dledger.Benchmarks -c $(CONFIGURATION)
	exec env TMPDIR=$${TMPDIR:-/var/tmp} DOTNET_SYSTEM_BUFFERS_SHAREDARRAYPOOL_MAXARRAYSPERPARTITION=1024 \
		tests/Dledger.Benchmarks/bin/$(CONFIGURATION)/net10.0/Dledger.Benchmarks peers $(PUBLISHED)/dledger \
		--seconds $(SECONDS) --rounds $(ROUNDS) $(if $(WARM_UP),--warm-up $(WARM_UP)) $(if $(BODY),--body $(BODY)) \
		$(if $(ONLY),--only $(ONLY)) $(if $(ROWS),--rows $(ROWS)) \
		--json $(CURDIR)/artifacts/bench-peers.json $(if $(DOCS),--docs $(DOCS))

# Parts by themselves, with what they allocate: make bench-micro [FILTER=*Crc*] [SHORT=1]
FILTER ?= *
MICRO = dotnet run --project tests/Dledger.MicroBenchmarks -c Release --
bench-micro:
	$(MICRO) --filter '$(FILTER)' $(if $(SHORT),--job short) --artifacts $(CURDIR)/artifacts/micro

# What a node allocates for each message that is sent, received and acknowledged: make garbage [TYPES=1]
garbage:
	$(MICRO) garbage $(if $(TYPES),--types)

# The program as it is shipped: compiled ahead of time, so that a node that takes over for the first time is not slow: make publish
PUBLISHED = $(CURDIR)/artifacts/dledger
publish:
	dotnet publish src/Dledger.Cli -c Release --use-current-runtime --self-contained false -p:PublishReadyToRun=true -o $(PUBLISHED)

# Real nodes under faults, see docs/chaos.md: make chaos [SEED=n] [MINUTES=10] [FAULTS=a,b] [NODES=3] [MODE=QUORUM_SYNC] [RATE=250]
CHAOS = DLEDGER_BINARY=$(PUBLISHED)/dledger dotnet run --project tests/Dledger.Chaos -c $(CONFIGURATION) --no-build --
CHAOS_FLAGS = $(if $(SEED),--seed $(SEED)) $(if $(NODES),--nodes $(NODES)) $(if $(MODE),--mode $(MODE)) $(if $(RATE),--rate $(RATE))
MINUTES ?= 10
chaos: publish
	dotnet build tests/Dledger.Chaos -c $(CONFIGURATION)
	$(CHAOS) run --minutes $(MINUTES) $(if $(FAULTS),--faults $(FAULTS)) $(CHAOS_FLAGS)

# How long nothing is acked when the leader is killed, frozen or hands over: make chaos-gaps [KILLS=100]
KILLS ?= 100
chaos-gaps: publish
	dotnet build tests/Dledger.Chaos -c $(CONFIGURATION)
	$(CHAOS) gaps --kills $(KILLS) $(CHAOS_FLAGS)

# Each feature in rounds that lose their leader at a random moment: make feature-kills [ROUNDS=20] [FEATURES=fifo,retry] [SEED=n]
feature-kills: ROUNDS = 20
feature-kills: publish
	dotnet build tests/Dledger.Chaos -c $(CONFIGURATION)
	$(CHAOS) features --rounds $(ROUNDS) $(if $(FEATURES),--features $(FEATURES)) $(if $(SEED),--seed $(SEED))

# Nodes on file systems that lose what was not synced: make power-loss [ROUNDS=100] [MODE=QUORUM_ASYNC]
power-loss: ROUNDS = 100
power-loss: publish
	dotnet build tests/Dledger.Chaos -c $(CONFIGURATION)
	$(CHAOS) power-loss --rounds $(ROUNDS) $(CHAOS_FLAGS)

# Every write or sync of the leader, then of a follower, fails: make io-errors [ROUNDS=12]
io-errors: ROUNDS = 12
io-errors: publish
	dotnet build tests/Dledger.Chaos -c $(CONFIGURATION)
	$(CHAOS) io-errors --rounds $(ROUNDS) $(CHAOS_FLAGS)

# How soon a killed node with a large log serves again: make large-log [GIB=10] [NODES=1]; takes GIB * NODES of disk space.
large-log: GIB = 10
large-log: publish
	dotnet build tests/Dledger.Chaos -c $(CONFIGURATION)
	$(CHAOS) large-log --gib $(GIB) $(if $(NODES),--nodes $(NODES))

# What clients notice while a follower catches up, and how soon an empty fourth node votes: make catch-up [GIB=2]
catch-up: GIB = 2
catch-up: publish
	dotnet build tests/Dledger.Chaos -c $(CONFIGURATION)
	$(CHAOS) catch-up --gib $(GIB)

# How late many delayed messages are, and what many that wait cost: make timers [COUNT=1000000] [PENDING=10000000] [NODES=3]
timers: publish
	dotnet build tests/Dledger.Chaos -c $(CONFIGURATION)
	$(CHAOS) timers $(if $(COUNT),--count $(COUNT)) $(if $(PENDING),--pending $(PENDING)) $(if $(NODES),--nodes $(NODES))

# Filter expressions against the compiler for as long as one likes: make fuzz-sql [SECONDS=600]
fuzz-sql: SECONDS = 600
fuzz-sql:
	DLEDGER_FUZZ_SECONDS=$(SECONDS) dotnet test tests/Dledger.Broker.Tests --filter FullyQualifiedName~SqlPropertyTests
