using Dledger.Broker.DeadLetters;
using Dledger.Broker.Groups;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Letters;
using Dledger.Broker.Lites;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Parking;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.Broker.Replays;
using Dledger.Broker.Routes;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Streaming;
using Dledger.Broker.Surveys;
using Dledger.Broker.Timers;
using Dledger.Broker.Topics;
using Dledger.Broker.Traces;
using Dledger.Broker.Transactions;
using Dledger.Replication;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker;

/// <summary>
/// What the services behind <see cref="BrokerNode"/> share: the log, the gate "only the serving leader", proposing.
/// </summary>
internal sealed class BrokerCalls
{
    private readonly Lock _codecLock = new();
    private volatile ReceiptCodec? _codec;

    public BrokerCalls(
        BrokerStateMachine machine, IReplicatedLog log, BrokerOptions options, PollTimer polls, ILogger logger)
    {
        Machine = machine;
        Log = log;
        Options = options;
        Records = new RecordReader(() => log);
        Topics = new TopicService(this);
        Groups = new GroupService(this);
        Producing = new ProduceService(this);
        Producers = new ProducerService(this);
        Receiving = new ReceiveService(this, polls, logger);
        Receipts = new ReceiptService(this);
        Settling = new SettleService(this);
        DeadLetters = new DeadLetterService(this);
        Offsets = new OffsetService(this);
        Pulling = new PullService(this, polls, logger);
        Lookups = new LookupService(this);
        Letters = new LetterService(this, logger);
        Traces = new TraceService(this);
        Parking = new ParkingService(this);
        Transactions = new TransactionService(this);
        TransactionReads = new TransactionReads(this);
        Timers = new TimerService(this);
        Surveys = new SurveyService(this);
        Replays = new ReplayService(this);
        Routes = new RouteService(this);
        Lites = new LiteService(this);
    }

    public BrokerStateMachine Machine { get; }

    public IReplicatedLog Log { get; }

    public BrokerOptions Options { get; }

    public RecordReader Records { get; }

    public TimeProvider Time => Machine.Time;

    public TopicService Topics { get; }

    public GroupService Groups { get; }

    public ProduceService Producing { get; }

    public ProducerService Producers { get; }

    public ReceiveService Receiving { get; }

    public ReceiptService Receipts { get; }

    public SettleService Settling { get; }

    public DeadLetterService DeadLetters { get; }

    public OffsetService Offsets { get; }

    public PullService Pulling { get; }

    public LookupService Lookups { get; }

    public LetterService Letters { get; }

    public TraceService Traces { get; }

    public ParkingService Parking { get; }

    public TransactionService Transactions { get; }

    public TransactionReads TransactionReads { get; }

    public TimerService Timers { get; }

    public SurveyService Surveys { get; }

    public ReplayService Replays { get; }

    public RouteService Routes { get; }

    public LiteService Lites { get; }

    /// <summary>Known once the cluster has its id, which every serving node's has.</summary>
    public ReceiptCodec Codec
    {
        get
        {
            if (_codec is { } known)
            {
                return known;
            }

            lock (_codecLock)
            {
                return _codec ??= new ReceiptCodec(Log.ClusterId);
            }
        }
    }

    /// <summary>Null on the serving leader, else what to tell the caller.</summary>
    public BrokerFailure? CheckServing() => Log.Status.IsServing ? null : Machine.NotServing();

    /// <summary>Proposes one record and waits until it is applied, or failed.</summary>
    public async ValueTask<BrokerFailure?> ProposeAsync(
        RecordKind kind, byte[] body, CancellationToken cancellationToken) =>
        await ProposeRecordsAsync<BrokerFailure?>(
            ControlRecord.Encode(kind, body), 1, static failure => failure, cancellationToken);

    /// <summary>Proposes encoded records and waits until they are applied, or failed.</summary>
    public async ValueTask<TOutcome> ProposeRecordsAsync<TOutcome>(
        ReadOnlyMemory<byte> records, int recordCount, Func<BrokerFailure, TOutcome> onFailure, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var proposal = new CallerProposal<TOutcome>(records, recordCount, onFailure);
        return Log.TryPropose(proposal, out var failure)
            ? await proposal.Task.WaitAsync(cancellationToken)
            : onFailure(FailureMapping.Of(failure));
    }

    /// <summary>
    /// Looks at the state on the apply loop, once it is certain that no other leader had acknowledged more before the call.
    /// </summary>
    public async ValueTask<TAnswer> LookAsync<TAnswer>(
        Func<BrokerState, TAnswer> look, Func<BrokerFailure, TAnswer> onFailure, CancellationToken cancellationToken)
    {
        if (await Log.ConfirmLeadershipAsync(cancellationToken) is { } refused)
        {
            return onFailure(FailureMapping.Of(refused));
        }

        var query = new StateQuery<TAnswer>(look, onFailure);
        return Log.TryPost(query)
            ? await query.Task.WaitAsync(cancellationToken)
            : onFailure(new BrokerFailure(BrokerError.Busy, "too many requests wait for the state machine"));
    }
}
