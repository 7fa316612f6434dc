using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Clients;
using Dledger.ClusterSimulation.Faults;
using Dledger.ClusterSimulation.Networks;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.ClusterSimulation.Reports;
using Dledger.ClusterSimulation.Scenarios;
using Dledger.ClusterSimulation.Schedules;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation;

/// <summary>
/// Whole nodes on one thread: the production code from the disk calls up to the broker's calls, with simulated time, disks,
/// network and clients. First with faults, then healed, when everything must come right again.
/// </summary>
internal sealed class SimulatedCluster
{
    /// <summary>Makes the stream from which the movers of groups and the readers by offset draw.</summary>
    public const ulong SeekStream = 0x0FF5_E75E_EC5A_11ED;

    // Makes the stream from which producers draw what they compress.
    private const ulong PackingStream = 0x7061_636B_6564_6221;

    private const string Topic = "orders";
    private const string TransactionTopic = "transfers";

    /// <summary>Makes the random numbers of transactions others than those of the rest, so that runs without them stay as they are.</summary>
    public const ulong TransactionStream = 0x7472_616E_7366_6572;

    // Several questions wait for a frozen leader: one of them may be answered before it learns that it was replaced.
    private const int StatusReaderCount = 3;

    // For so long a new leader skips nothing of a group with mixed filters, and the delivery window may be full of it.
    private const long NewLeaderReserve = 100_000_000;

    private readonly TurnContext _context = new();
    private readonly FaultInjector _faults;
    private readonly List<Producer> _producers = [];
    private readonly List<ConsumeHistory> _groups = [];
    private readonly SimulationRandom _seekRandom;
    private readonly SimulationRandom _packingRandom;
    private readonly TimerClient _timerClient;
    private Exception? _clientFault;
    private ReceiptCodec? _receipts;

    public SimulatedCluster(ulong seed, Scenario scenario, TextWriter? trace)
    {
        Scenario = scenario;
        Random = new SimulationRandom(seed);
        TransactionRandom = new SimulationRandom(seed ^ TransactionStream ^ 1);
        Transactions = new TransactionHistory(this);
        Filters = FilterWorkload.Draw(seed);
        Trace = new Trace(Events, trace);
        Checks = new Checks(this);
        Oracle = new Oracle(this);
        Producing = new ProduceHistory(this);
        Seeking = new SeekHistory(this);
        _seekRandom = new SimulationRandom(~seed ^ SeekStream);
        _packingRandom = new SimulationRandom(seed ^ PackingStream);
        Timers = new TimerHistory(this);
        _timerClient = new TimerClient(this, new SimulationRandom(seed ^ Scenario.TimerStream)) { Remaining = scenario.MessageCount };
        Calls = new ClientCalls(this);
        Network = new SimulatedNetwork(this);
        Nodes = [.. Enumerable.Range(1, scenario.NodeCount).Select(id => new SimulatedNode(this, new NodeId(id)))];
        _faults = new FaultInjector(this);
        Routes = RouteWorkload.Draw(this, seed);
        Keyed = DedupWorkload.Draw(this, seed);
        Priorities = PriorityWorkload.Draw(this, seed);
        Lites = LiteWorkload.Draw(this, seed);
        Letters = LetterWorkload.Draw(this, seed);
        Streams = StreamWorkload.Draw(this, seed);
        Order = scenario.Order is { } order ? new OrderWorkload(this, order) : null;
        Quotas = scenario.Quotas is { } quotas ? new QuotaWorkload(this, quotas) : null;
        Broadcast = scenario.Broadcast is { } broadcast ? new BroadcastWorkload(this, broadcast) : null;
        Replay = scenario.Replay is { } replay ? new ReplayWorkload(this, replay) : null;
        Modes = scenario.Modes is { } modes ? new ModeWorkload(this, modes) : null;
        Ledgers = [.. new[] { Order?.History.Ledger, Keyed?.History.Ledger, Lites?.History.Ledger, Modes?.History.Ledger }.OfType<LeaseLedger>()];
    }

    public Scenario Scenario { get; }

    public SimulationRandom Random { get; }

    /// <summary>What transactions are drawn from.</summary>
    public SimulationRandom TransactionRandom { get; }

    public TransactionHistory Transactions { get; }

    /// <summary>Whom leaders ask about transactions; null in runs without them.</summary>
    public TransactionProducer? TransactionProducer { get; private set; }

    /// <summary>Consumers that filter; null in most runs.</summary>
    public FilterWorkload? Filters { get; }

    public EventQueue Events { get; } = new();

    public Trace Trace { get; }

    /// <summary>Whose logs were damaged.</summary>
    public LogRot LogRot => _faults.Disks.LogRot;

    /// <summary>What happened to the disks.</summary>
    public DiskFaults DiskFaults => _faults.Disks;

    public Marks Marks { get; } = new();

    public Checks Checks { get; }

    public Oracle Oracle { get; }

    public ProduceHistory Producing { get; }

    /// <summary>The group that an operator moves about, in runs that have one.</summary>
    public SeekHistory Seeking { get; }

    /// <summary>Delayed messages; nothing happens to them in most runs.</summary>
    public TimerHistory Timers { get; }

    public ClientCalls Calls { get; }

    public SimulatedNetwork Network { get; }

    public IReadOnlyList<SimulatedNode> Nodes { get; }

    /// <summary>Message groups; null in a run without them.</summary>
    public OrderWorkload? Order { get; }

    /// <summary>A topic and a group with quotas; null in a run without them.</summary>
    public QuotaWorkload? Quotas { get; }

    /// <summary>A broadcast group; null in a run without it.</summary>
    public BroadcastWorkload? Broadcast { get; }

    /// <summary>A group that messages are replayed to; null in a run without it.</summary>
    public ReplayWorkload? Replay { get; }

    /// <summary>A group with rare settings; null in a run without one.</summary>
    public ModeWorkload? Modes { get; }

    /// <summary>Who reads of deliveries in the log.</summary>
    public IReadOnlyList<LeaseLedger> Ledgers { get; }

    /// <summary>Topics with routes; null in a run without them.</summary>
    public RouteWorkload? Routes { get; }

    /// <summary>A group that remembers what it processed; null in a run without one.</summary>
    public DedupWorkload? Keyed { get; }

    /// <summary>Messages with priorities; null in a run without them.</summary>
    public PriorityWorkload? Priorities { get; }

    /// <summary>Lite topics; null in a run without them.</summary>
    public LiteWorkload? Lites { get; }

    /// <summary>Dead letters that are sent again; null in a run without them.</summary>
    public LetterWorkload? Letters { get; }

    /// <summary>Clients of streams; null in a run without them.</summary>
    public StreamWorkload? Streams { get; }

    /// <summary>What receipt handles say; known since the first node was up, also when none is.</summary>
    public ReceiptCodec Receipts => _receipts!;

    /// <summary>The last phase has begun.</summary>
    public bool IsHealed { get; private set; }

    /// <summary>Runs to the end; throws <see cref="SimulationFailure"/> at the first broken invariant.</summary>
    public void Run()
    {
        var outside = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_context);
        try
        {
            RunPhases();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outside);
        }
    }

    private void RunPhases()
    {
        Trace.Line("", Scenario.ToString());
        foreach (var node in Nodes)
        {
            node.Boot();
        }

        Network.Start();
        var work = PrepareAsync();
        RunUntil(
            "I50",
            "topic and groups are not there after a minute without faults",
            60_000_000,
            () => work.IsCompleted ? null : "");
        Check(work);
        _faults.Start();
        var end = Events.Now + Scenario.FaultPhase;
        while (Step(end))
        {
        }

        Heal();
    }

    private async Task PrepareAsync()
    {
        var isReady = false;
        while (!isReady)
        {
            await Calls.DelayAsync(Scenario.ElectionTimeout / 4);
            var node = Random.Pick(Nodes);
            var (isAnswered, failure) = await Calls.CallAsync(
                node,
                broker => broker.CreateTopicAsync(
                    new TopicSpec
                    {
                        Name = Topic,
                        QueueCount = Scenario.QueueCount,
                        RetentionTime = TimeSpan.FromMicroseconds(Scenario.TopicRetentionTime),
                        RetentionBytes = Scenario.TopicRetentionBytes,
                        IdWindowTime = Scenario.HasIdWindow ? TimeSpan.FromHours(24) : TimeSpan.Zero,
                    },
                    CancellationToken.None),
                Scenario.CallPatience);
            isReady = isAnswered && (failure is null || failure.Value.Error == Broker.BrokerError.AlreadyExists);
        }

        foreach (var (name, isOrdered) in new[] { ("plain", false), ("ordered", true) })
        {
            await CreateGroupAsync(name, isOrdered, Scenario.AttemptsMax);
            StartGroup(new ConsumeHistory(this, name, isOrdered, Scenario.AttemptsMax));
        }

        if (Scenario.HasSeeks)
        {
            // Attempts without end: no dead letter takes a message away from the count.
            await CreateGroupAsync(SeekHistory.Group, isOrdered: false, attemptsMax: 10_000);
            StartSeeking();
        }

        if (Filters is { } filters)
        {
            await StartFilteringGroupAsync(filters);
        }

        for (var i = 0; i < Scenario.ProducerCount; i++)
        {
            var producer = new Producer(this, Topic, _packingRandom) { Remaining = Scenario.MessageCount };
            _producers.Add(producer);
            _ = WatchAsync(producer.RunAsync());
        }

        if (Routes is not null)
        {
            await Routes.StartAsync();
        }

        if (Keyed is not null)
        {
            await Keyed.StartAsync();
        }

        if (Scenario.HasTransactions)
        {
            await StartTransactionsAsync();
        }

        if (Scenario.HasTimers)
        {
            await StartTimersAsync();
        }

        for (var i = 0; Scenario.HasStatusReads && i < StatusReaderCount; i++)
        {
            _ = WatchAsync(new StatusReader(this, Topic).RunAsync());
        }

        if (Order is not null)
        {
            await StartOrderAsync(Order);
        }

        if (Quotas is not null)
        {
            await Quotas.PrepareAsync();
            foreach (var client in Quotas.Start())
            {
                _ = WatchAsync(client);
            }
        }

        if (Replay is not null)
        {
            await Replay.PrepareAsync();
            foreach (var client in Replay.Start())
            {
                Watch(client);
            }
        }

        if (Broadcast is not null)
        {
            await Broadcast.PrepareAsync();
            foreach (var client in Broadcast.Start())
            {
                Watch(client);
            }
        }

        if (Modes is not null)
        {
            await Modes.PrepareAsync();
            foreach (var client in Modes.Start())
            {
                Watch(client);
            }
        }

        if (Priorities is not null)
        {
            await Priorities.StartAsync();
        }

        if (Lites is not null)
        {
            await Lites.StartAsync();
        }

        if (Letters is not null)
        {
            await Letters.StartAsync();
        }

        if (Streams is not null)
        {
            await Streams.StartAsync(Topic);
        }
    }

    private async Task StartTimersAsync()
    {
        var spec = new TopicSpec
        {
            Name = TimerClient.Topic,
            QueueCount = 2,
            AcceptedTypes = Broker.Messages.MessageTypeSet.Of(Broker.Messages.MessageType.Delay),
        };
        var isReady = false;
        while (!isReady)
        {
            var (isAnswered, failure) = await Calls.CallAsync(
                Random.Pick(Nodes), broker => broker.CreateTopicAsync(spec, CancellationToken.None), Scenario.CallPatience);
            isReady = isAnswered && (failure is null || failure.Value.Error == Broker.BrokerError.AlreadyExists);
        }

        // Nothing may become a dead letter: what is not consumed at the end is lost.
        var group = new GroupSpec { Name = TimerClient.Group, Settings = new GroupSettings { MaxAttempts = 10_000 } };
        isReady = false;
        while (!isReady)
        {
            var (isAnswered, failure) = await Calls.CallAsync(
                Random.Pick(Nodes), broker => broker.CreateGroupAsync(group, CancellationToken.None), Scenario.CallPatience);
            isReady = isAnswered && (failure is null || failure.Value.Error == Broker.BrokerError.AlreadyExists);
        }

        if (Routes is not null)
        {
            await Routes.ForwardAsync(TimerClient.Topic);
        }

        _ = WatchAsync(_timerClient.SendAsync());
        _ = WatchAsync(_timerClient.ConsumeAsync());
    }

    private async Task StartTransactionsAsync()
    {
        var spec = new TopicSpec
        {
            Name = TransactionTopic,
            QueueCount = 1 + TransactionRandom.Next(3),
            AcceptedTypes = MessageTypeSet.Of(MessageType.Transaction),
        };
        var change = new TopicChange
        {
            Name = TransactionTopic,
            FirstCheck = TimeSpan.FromMicroseconds(TransactionHistory.CheckInterval),
            CheckInterval = TimeSpan.FromMicroseconds(TransactionHistory.CheckInterval),
            CheckCountMax = TransactionHistory.ChecksMax,
        };
        for (var isReady = false; !isReady;)
        {
            var node = Random.Pick(Nodes);
            await Calls.CallAsync(
                node, broker => broker.CreateTopicAsync(spec, CancellationToken.None), Scenario.CallPatience);
            var (isAnswered, failure) = await Calls.CallAsync(
                node, broker => broker.UpdateTopicAsync(change, CancellationToken.None), Scenario.CallPatience);
            isReady = isAnswered && failure is null;
        }

        if (Routes is not null)
        {
            await Routes.ForwardAsync(TransactionTopic);
        }

        TransactionProducer = new TransactionProducer(this, TransactionTopic);
        Watch(TransactionProducer.RunAsync());
        Watch(new TransactionReader(this, TransactionTopic).RunAsync());
    }

    private async Task StartOrderAsync(OrderWorkload order)
    {
        await order.PrepareAsync();
        foreach (var client in order.Start())
        {
            _ = WatchAsync(client);
        }
    }

    private void StartSeeking()
    {
        for (var i = 0; i < 2; i++)
        {
            _ = WatchAsync(new SoughtConsumer(this, Seeking, Topic, _seekRandom).RunAsync());
        }

        _ = WatchAsync(new SeekOperator(this, Topic, _seekRandom).RunAsync());
        _ = WatchAsync(new PullReader(this, Topic, _seekRandom).RunAsync());
    }

    private async Task CreateGroupAsync(string name, bool isOrdered, int attemptsMax)
    {
        var spec = new GroupSpec { Name = name, Fifo = isOrdered, Settings = new GroupSettings { MaxAttempts = attemptsMax } };
        var isReady = false;
        while (!isReady)
        {
            var (isAnswered, failure) = await Calls.CallAsync(
                Random.Pick(Nodes), broker => broker.CreateGroupAsync(spec, CancellationToken.None), Scenario.CallPatience);
            isReady = isAnswered && (failure is null || failure.Value.Error == Broker.BrokerError.AlreadyExists);
        }
    }

    // Everybody has called before the first message: what comes earlier than a subscription may be skipped.
    private async Task StartFilteringGroupAsync(FilterWorkload filters)
    {
        await CreateGroupAsync("filtering", isOrdered: false, Scenario.AttemptsMax);
        var history = new ConsumeHistory(this, "filtering", false, Scenario.AttemptsMax, filters.IsWanted);
        _groups.Add(history);
        var consumers = Enumerable.Range(0, Math.Max(2, Scenario.ConsumerCount))
            .Select(number => new Consumer(this, history, Topic, number, filters.Of(number)))
            .ToList();
        foreach (var consumer in consumers)
        {
            await consumer.SubscribeAsync();
        }

        foreach (var consumer in consumers)
        {
            _ = WatchAsync(consumer.RunAsync());
        }

        _ = WatchAsync(new DeadLetterReader(this, history).RunAsync());
    }

    private void StartGroup(ConsumeHistory history)
    {
        _groups.Add(history);
        for (var i = 0; i < Scenario.ConsumerCount; i++)
        {
            _ = WatchAsync(new Consumer(this, history, Topic, i).RunAsync());
        }

        _ = WatchAsync(new DeadLetterReader(this, history).RunAsync());
    }

    /// <summary>Has a client looked after.</summary>
    public void Watch(Task client) => _ = WatchAsync(client);

    // Clients never end by themselves; when one does, a check failed inside of it.
    // By which messages are due. A follower whose clock jumped may be far ahead; without a leader everything is late.
    private static long LeaderTime(IEnumerable<SimulatedNode> nodes) => nodes
        .Where(node => node.Replication is { Status.IsServing: true })
        .Select(node => node.Replication!.LogTimeNow)
        .DefaultIfEmpty(long.MaxValue)
        .Max();

    private async Task WatchAsync(Task client)
    {
        try
        {
            await client;
        }
        catch (Exception fault)
        {
            _clientFault ??= fault;
        }
    }

    private static void Check(Task work)
    {
        if (work.Exception is { } fault)
        {
            throw fault.InnerException!;
        }
    }

    private bool Step(long until)
    {
        if (!Events.TryRunNext(until))
        {
            return false;
        }

        _context.Drain();
        foreach (var node in Nodes)
        {
            node.Observe();
        }

        _receipts ??= Nodes.FirstOrDefault(node => node.Replication is not null)?.Replication is { } log && log.ClusterId != Guid.Empty
            ? new ReceiptCodec(log.ClusterId)
            : null;
        if ((Checks.Failure ?? _clientFault) is { } fault)
        {
            throw fault;
        }

        return true;
    }

    // Looks now and then, not after each event. The time limit begins anew whenever what is left changes.
    private void RunUntil(string name, string problem, long within, Func<string?> findLeft)
    {
        var deadline = Events.Now + within;
        for (string? last = null, left; (left = findLeft()) is not null; last = left)
        {
            deadline = left == last ? deadline : Events.Now + within;
            Checks.Check(
                name,
                Events.Now < deadline,
                $"{problem}: {left} {string.Join("; ", Nodes.Select(Describe))}");
            var pause = Math.Min(deadline, Events.Now + (Scenario.ElectionTimeout / 10));
            while (Step(pause))
            {
            }
        }

        Checks.Check(name, true, problem);
    }

    private void Heal()
    {
        Trace.Line("", "faults stop");
        IsHealed = true;
        var alive = _faults.Heal();

        // Down nodes start again after a while; then five times the longest election timeout must do.
        var patience = (40 * Scenario.Downtime) + (10 * Scenario.ElectionTimeout) + (200 * Scenario.SyncLatency)
            + (Scenario.RetentionBytes > 0 ? FaultInjector.AbsenceMax : 0);
        RunUntil(
            "I50",
            "no node serves after the faults",
            patience,
            () => alive.Any(node => node.Replication?.Status.IsServing == true) ? null : "");
        if (Scenario.ChangesMembers)
        {
            _faults.Members.Heal();
            RunUntil("I50", "not all nodes are voters again", patience + 120_000_000, _faults.Members.Complete);
        }

        foreach (var producer in _producers)
        {
            producer.Remaining = 3;
        }

        Order?.Heal();
        Replay?.Heal();
        Broadcast?.Heal();
        Priorities?.Heal();
        Lites?.Heal();
        Modes?.Heal();
        Streams?.Heal();

        RunUntil(
            "I50",
            "producers get no answers",
            patience + 20_000_000,
            () => _producers.Sum(producer => producer.Remaining) is > 0 and var left ? $"{left} messages" : null);
        RunUntil(
            "I43",
            "messages are neither finished nor dead letters",
            patience + (4 * Scenario.InvisibleTime) + 10_000_000 + (Filters?.IsMixed == true ? NewLeaderReserve : 0),
            () => _groups.Select(group => group.DescribeOpen()).FirstOrDefault(open => open is not null));
        if (Scenario.HasSeeks)
        {
            RunUntil(
                "I43",
                "messages of the moved group are not finished",
                patience + (4 * Scenario.InvisibleTime) + 10_000_000,
                Seeking.DescribeOpen);
        }

        if (Order is not null)
        {
            RunUntil(
                "I55",
                "message groups do not come to their end",
                patience + (4 * Scenario.InvisibleTime) + 20_000_000,
                () => Order.DescribeOpen(alive));
        }

        if (Quotas is not null)
        {
            RunUntil(
                "I43",
                "messages of the topic with a quota are not finished",
                patience + (4 * Scenario.InvisibleTime) + 20_000_000,
                () => Quotas.DescribeOpen(alive));
            Quotas.History.Check();
        }

        if (Replay is not null)
        {
            RunUntil(
                "I64",
                "replayed messages are not delivered again",
                patience + (4 * Scenario.InvisibleTime) + 20_000_000,
                () => Replay.DescribeOpen(alive));
        }

        if (Broadcast is not null)
        {
            RunUntil(
                "I65",
                "not every client of the broadcast group gets everything",
                patience + (4 * Scenario.InvisibleTime) + 20_000_000,
                () => Broadcast.DescribeOpen(alive));
        }

        if (Modes is not null)
        {
            RunUntil(
                "I43",
                "messages of the group with rare settings do not come to their end",
                patience + (4 * Scenario.InvisibleTime) + (2 * Scenario.Modes!.HolderSilence) + 20_000_000,
                () => Modes.DescribeOpen(alive));
        }

        if (Priorities is not null)
        {
            RunUntil(
                "I68",
                "messages with priorities do not come to their end",
                patience + (6 * Scenario.InvisibleTime) + (4 * Scenario.CallPatience) + 20_000_000,
                () => Priorities.DescribeOpen(alive));
        }

        if (Lites is not null)
        {
            RunUntil(
                "I69",
                "messages of lite topics do not reach the clients that ask for them",
                patience + (6 * Scenario.InvisibleTime) + (4 * Scenario.CallPatience) + 20_000_000,
                Lites.DescribeOpen);
        }

        if (Letters is not null)
        {
            RunUntil(
                "I76",
                "messages that were put back do not come to their end",
                patience + (6 * Scenario.InvisibleTime) + (4 * Scenario.CallPatience) + 20_000_000,
                () => Letters.DescribeOpen(alive));
        }

        if (Streams is not null)
        {
            RunUntil(
                "I78",
                "messages of streams do not come to their end",
                patience + (6 * Scenario.InvisibleTime) + (4 * Scenario.CallPatience) + 20_000_000,
                () => Streams.DescribeOpen(alive));
        }

        RunUntil(
            "I47",
            "transactions stay open, or committed messages unread",
            patience + (2 * TransactionHistory.ChecksMax * TransactionHistory.CheckInterval) + 20_000_000,
            Transactions.DescribeOpen);
        if (Scenario.HasTimers)
        {
            _timerClient.Remaining = 0;
            RunUntil(
                "I46",
                "delayed messages are late or not consumed",
                patience + (4 * Scenario.InvisibleTime) + 10_000_000,
                () => Timers.DescribeOpen(LeaderTime(alive)));
        }

        if (Keyed is not null)
        {
            Keyed.Remaining = 0;
            RunUntil(
                "I66",
                "messages of keys are not finished, or finished without a reason",
                patience + (4 * Scenario.InvisibleTime) + 20_000_000,
                () => Keyed.DescribeOpen(alive));
        }

        if (Routes is not null)
        {
            Routes.Remaining = 0;
            RunUntil(
                "I67",
                "routed messages are not consumed in all their topics",
                patience + (4 * Scenario.InvisibleTime) + 10_000_000,
                Routes.History.DescribeOpen);
        }

        RunUntil(
            "I50",
            "the nodes do not converge",
            patience + 20_000_000,
            () => FindUnsettled(alive));
        var logs = new LogComparison(this);
        if (Scenario.MayDamageLogs)
        {
            RunUntil("I33", "damage is not mended", patience + 60_000_000, () => logs.FindUnmended(alive));
            RunUntil(
                "I50", "the nodes do not converge again", patience + 20_000_000, () => FindUnsettled(alive));
        }

        var keys = new KeyIndexComparison(this);
        if (Scenario.HasKeyIndex && KeyIndexComparison.MustBeComplete(Scenario))
        {
            RunUntil("I61", "key indexes do not become complete", patience + 60_000_000, () => keys.FindGap(alive));
        }

        Compare(alive, logs);
        if (Scenario.HasKeyIndex)
        {
            foreach (var node in alive.Where(node => !LogRot.HasHit(node)))
            {
                keys.Check(node);
            }
        }
    }

    // A removal that was asked for during the faults may have been carried out only now.
    private string? FindUnsettled(IReadOnlyList<SimulatedNode> alive) =>
        (Scenario.ChangesMembers ? _faults.Members.Complete() : null) ?? (HaveConverged(alive) ? null : "");

    private bool HaveConverged(IReadOnlyList<SimulatedNode> alive)
    {
        var first = alive[0].Replication?.Status;
        return first is not null && alive.All(node => node.Replication?.Status is { } status
            && status.End == first.End && status.Commit == first.End && status.Applied == first.End
            && status.Durable == first.End && status.Term == first.Term);
    }

    private void Compare(IReadOnlyList<SimulatedNode> alive, LogComparison logs)
    {
        var hash = alive[0].Machine!.StateHash;
        foreach (var node in alive)
        {
            Checks.Check("I36", node.Machine!.StateHash == hash, $"nodes {alive[0].Id} and {node.Id} differ in their state");
            logs.Check(node, mayBeDamaged: LogRot.HasHit(node));
            QueueComparison.Check(this, node);
            Timers.Check(node);
            if (LogRot.HasHit(node))
            {
                continue;
            }

            var reader = new RecordReader(() => node.Replication);

            // By where the log has it: a repeat of what its queue no longer keeps is acknowledged without a position.
            foreach (var message in Producing.Acked.Select(acked => acked.Message).Where(message => message.Position >= Oracle.LogStart))
            {
                var bytes = reader.Read(message.Position);
                Checks.Check(
                    "I40",
                    bytes.AsSpan().IndexOf(message.Body) >= 0,
                    $"node {node.Id} does not hold {message.Id}, which was acked and lies at {message.Position}");
            }
        }
    }

    private static string Describe(SimulatedNode node) => node.Replication?.Status is not { } status
        ? $"n{node.Id} down"
        : $"n{node.Id} {status.Role} term={status.Term} leader={status.Leader} durable={status.Durable} end={status.End} "
            + $"commit={status.Commit} applied={status.Applied} {status.UnavailableReason}";
}
