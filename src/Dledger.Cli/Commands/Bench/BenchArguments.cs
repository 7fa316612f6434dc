using System.CommandLine;
using System.Globalization;
using Dledger.Bench.Clusters;
using Dledger.Bench.Running;
using Dledger.Bench.Workloads;
using Dledger.Client.Streaming;
using Dledger.Server.Options;

namespace Dledger.Cli.Commands.Bench;

/// <summary>The options of a workload: those that it uses, with their bounds.</summary>
internal sealed class BenchArguments
{
    private const int BodyBytesMin = 24;
    private const int BodyBytesMax = 4 << 20;
    private const int RunsMax = 64;

    private static readonly WorkloadOptions Default = new();

    private readonly BenchFeatures _features;
    private readonly int _topicsMin;

    private readonly Option<BenchApi> _api = new("--api")
    {
        Description = "v2: the calls of the RocketMQ 5 protocol; stream: Dledger's streams of batches.",
        DefaultValueFactory = _ => BenchApi.V2,
        HelpName = "v2|stream",
    };

    private readonly Option<BatchCompression> _compression = new("--compression")
    {
        Description = "What a stream's batches are compressed with, each as a whole.",
        DefaultValueFactory = _ => BatchCompression.None,
        HelpName = "none|lz4|zlib",
    };

    private readonly Option<int> _repetition = new("--repetition")
    {
        Description = "Percent of each body that repeats itself, and so compresses; the rest is noise.",
        DefaultValueFactory = _ => 0,
        HelpName = "percent",
    };

    private readonly Option<string> _size = Text("--size", "sizes", "100,1KiB,16KiB", "Bytes of a body; of several with commas between, each is measured.", "1KiB");
    private readonly Option<string> _duration = Text("--duration", "time", "10s", "Of each measured phase.", "10s");
    private readonly Option<string> _warmUp = Text("--warm-up", "time", "5s", "Runs before each measured phase and is not counted.", "5s");
    private readonly Option<string> _inFlight = Text(
        "--in-flight", "counts", "1,16,64", "Sends at the same time; of several with commas between, each is measured.", "64");

    private readonly Option<int> _batch = Count("--batch", "Messages of one send.", Default.Batch);
    private readonly Option<int> _topics;
    private readonly Option<int> _queues = Count("--queues", "Queues of each topic; 0: as the cluster does by itself.", Default.Queues);
    private readonly Option<int> _producers = Count("--producers", "Producers that the sends share.", Default.Producers);
    private readonly Option<int> _consumers = Count("--consumers", "Consumers of each group; no fewer than topics.", Default.Consumers);
    private readonly Option<int> _receiveCount = Count("--receive-count", "Messages of one receive at most.", Default.ReceiveCount);
    private readonly Option<int> _groups = Count("--groups", "Groups.", Default.Groups);
    private readonly Option<int> _returns = Count("--returns", "How often each message is given back.", Default.Returns);
    private readonly Option<int> _rounds = Count("--rounds", "How often they take turns.", Default.Rounds);
    private readonly Option<long> _messages = new("--messages", "-n")
    {
        Description = "Messages that are written before, and read at most.",
        DefaultValueFactory = _ => Default.Messages,
        HelpName = "count",
    };

    private readonly Option<double?> _rate = new("--rate")
    {
        Description = "Messages a second; without it as many as go, or what the workload says.",
        HelpName = "messages/s",
    };

    private readonly Option<string> _backlogSize = Text("--backlog-size", "size", "5GiB", "Bytes of bodies to be written before.", "1GiB");
    private readonly Option<string> _readTime = Text("--read-time", "time", "10m", "How long the reading of the backlog may take.", "10m");
    private readonly Option<string[]> _evict = new("--evict")
    {
        Description = "Data directory of a node on this machine, to be taken out of the page cache; may be given several times. "
            + "Default: those of the nodes that run here.",
        HelpName = "directory",
    };

    private readonly Option<string?> _name = new("--name")
    {
        Description = $"What the names of the topics and groups begin with: {BenchNames.Mark}... Default: a new one.",
        HelpName = "prefix",
    };

    private readonly Option<bool> _anyName = new("--any-name") { Description = $"Let --name begin with something else than {BenchNames.Mark}." };
    private readonly Option<bool> _reuse = new("--reuse") { Description = "Use topics and groups of these names that exist, and keep them." };
    private readonly Option<bool> _keep = new("--keep") { Description = "Do not delete the topics and groups at the end." };

    private BenchArguments(BenchFeatures features, int topics, int topicsMin)
    {
        (_features, _topicsMin) = (features, topicsMin);
        _topics = Count("--topics", "Topics; sends go to them in turn.", topics);
    }

    /// <summary>Adds the options that a workload uses to its command.</summary>
    public static BenchArguments AddTo(Command command, BenchFeatures features, int topics, int topicsMin)
    {
        var arguments = new BenchArguments(features, topics, topicsMin);
        foreach (var (option, feature) in arguments.All())
        {
            if (feature == BenchFeatures.None || features.HasFlag(feature))
            {
                command.Options.Add(option);
            }
        }

        return arguments;
    }

    public BenchApi Api(ParseResult result) => result.GetValue(_api);

    /// <summary>What batches are compressed with; only those of streams can be.</summary>
    public BatchCompression Compression(ParseResult result, BenchApi api)
    {
        var compression = Has(BenchFeatures.ChoosesApi) ? result.GetValue(_compression) : BatchCompression.None;
        return compression == BatchCompression.None || api == BenchApi.Stream
            ? compression
            : throw new UsageException("--compression is for streams of batches.", "Add --api stream.");
    }

    public bool Keeps(ParseResult result) => result.GetValue(_keep);

    public bool Reuses(ParseResult result) => result.GetValue(_reuse);

    public IReadOnlyList<string> EvictedFolders(ParseResult result)
    {
        var folders = Has(BenchFeatures.Backlog) ? result.GetValue(_evict) ?? [] : [];
        return folders.FirstOrDefault(folder => !Directory.Exists(folder)) is { } missing
            ? throw new UsageException($"--evict '{missing}' is not a directory of this machine.")
            : folders;
    }

    public BenchNames Names(ParseResult result)
    {
        if (result.GetValue(_name) is not { } prefix)
        {
            return BenchNames.New();
        }

        if (!prefix.StartsWith(BenchNames.Mark, StringComparison.Ordinal) && !result.GetValue(_anyName))
        {
            throw new UsageException(
                $"--name '{prefix}' does not begin with {BenchNames.Mark}.", "Add --any-name if topics shall really be called so.");
        }

        return prefix.Length is > 0 and <= BenchNames.PrefixLengthMax
            ? new BenchNames(prefix)
            : throw new UsageException($"--name has {prefix.Length} characters; 1..{BenchNames.PrefixLengthMax} are possible.");
    }

    /// <summary>One entry for each run: every size with every number in flight.</summary>
    public IReadOnlyList<WorkloadOptions> Read(ParseResult result)
    {
        var common = ReadCommon(result);
        var counts = Has(BenchFeatures.Sends)
            ? List(result, _inFlight, text => ParseCount(_inFlight.Name, text, 1, 4_096))
            : [Default.InFlight];
        var runs = (
            from bytes in List(result, _size, ParseSize)
            from inFlight in counts
            select common with { BodyBytes = bytes, InFlight = inFlight }).ToArray();
        if (runs.Length > RunsMax)
        {
            throw new UsageException($"{runs.Length} combinations of --size and --in-flight are more than {RunsMax}.");
        }

        foreach (var run in runs)
        {
            CheckTogether(run);
        }

        return runs;
    }

    private WorkloadOptions ReadCommon(ParseResult result) => Default with
    {
        Duration = Time(result, _duration, TimeSpan.FromHours(24)),
        WarmUp = Has(BenchFeatures.WarmsUp) ? Time(result, _warmUp, TimeSpan.FromHours(1), isZeroPossible: true) : TimeSpan.Zero,
        Repetition = (int)InRange(_repetition.Name, result.GetValue(_repetition), 0, 100),
        Batch = InRange(result, _batch, BenchFeatures.Sends, 1, 1_024, Default.Batch),
        Topics = InRange(result, _topics, BenchFeatures.Spread, _topicsMin, 10_000, 1),
        Queues = InRange(result, _queues, BenchFeatures.None, 0, 1_024, Default.Queues),
        Producers = InRange(result, _producers, BenchFeatures.Sends, 1, 64, Default.Producers),
        Consumers = InRange(result, _consumers, BenchFeatures.Receives, 1, 1_024, Default.Consumers),
        ReceiveCount = InRange(result, _receiveCount, BenchFeatures.Receives, 1, 1_024, Default.ReceiveCount),
        Groups = InRange(result, _groups, BenchFeatures.FansOut, 1, 64, Default.Groups),
        Returns = InRange(result, _returns, BenchFeatures.Returns, 1, 100, Default.Returns),
        Rounds = InRange(result, _rounds, BenchFeatures.Alternates, 1, 100, Default.Rounds),
        Messages = Has(BenchFeatures.Stocked) ? InRange(_messages.Name, result.GetValue(_messages), 1, 1_000_000_000) : Default.Messages,
        Rate = Has(BenchFeatures.Paced) ? Rate(result) : null,
        BacklogBytes = Has(BenchFeatures.Backlog) ? Backlog(result) : Default.BacklogBytes,
        ReadTimeMax = Has(BenchFeatures.Backlog) ? Time(result, _readTime, TimeSpan.FromHours(24)) : Default.ReadTimeMax,
    };

    private IEnumerable<(Option Option, BenchFeatures Feature)> All() =>
    [
        (_api, BenchFeatures.ChoosesApi), (_compression, BenchFeatures.ChoosesApi),
        (_size, BenchFeatures.None), (_repetition, BenchFeatures.None), (_duration, BenchFeatures.None), (_warmUp, BenchFeatures.WarmsUp),
        (_inFlight, BenchFeatures.Sends), (_batch, BenchFeatures.Sends), (_rate, BenchFeatures.Paced), (_producers, BenchFeatures.Sends),
        (_topics, BenchFeatures.Spread), (_queues, BenchFeatures.None),
        (_consumers, BenchFeatures.Receives), (_receiveCount, BenchFeatures.Receives), (_groups, BenchFeatures.FansOut),
        (_messages, BenchFeatures.Stocked), (_returns, BenchFeatures.Returns), (_rounds, BenchFeatures.Alternates),
        (_backlogSize, BenchFeatures.Backlog), (_readTime, BenchFeatures.Backlog), (_evict, BenchFeatures.Backlog),
        (_name, BenchFeatures.None), (_anyName, BenchFeatures.None), (_reuse, BenchFeatures.None), (_keep, BenchFeatures.None),
    ];

    private bool Has(BenchFeatures feature) => feature == BenchFeatures.None || _features.HasFlag(feature);

    private void CheckTogether(WorkloadOptions run)
    {
        if (Has(BenchFeatures.Sends) && (long)run.InFlight * run.Batch * run.BodyBytes > ProduceLoad.BufferBytesMax)
        {
            throw new UsageException(
                $"{run.InFlight} sends of {run.Batch} bodies of {run.BodyBytes} bytes are more than "
                + $"{OptionText.FormatSize(ProduceLoad.BufferBytesMax)} at the same time.",
                "Lower --in-flight, --batch or --size.");
        }

        if (Has(BenchFeatures.Receives) && Has(BenchFeatures.Spread) && run.Consumers < run.Topics)
        {
            throw new UsageException(
                $"{run.Consumers} consumers cannot receive from {run.Topics} topics.", $"Write --consumers {run.Topics} or more.");
        }
    }

    private static Option<string> Text(string name, string help, string example, string description, string value) => new(name)
    {
        Description = example == value ? description : $"{description} Such as {example}.",
        DefaultValueFactory = _ => value,
        HelpName = help,
    };

    private static Option<int> Count(string name, string description, int value) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => value,
        HelpName = "count",
    };

    private static T[] List<T>(ParseResult result, Option<string> option, Func<string, T> parse) =>
        [.. result.GetValue(option)!.Split(',', StringSplitOptions.TrimEntries).Select(parse)];

    private static int ParseSize(string text) =>
        OptionText.TryParseSize(text, out var bytes) && bytes is >= BodyBytesMin and <= BodyBytesMax
            ? (int)bytes
            : throw new UsageException(
                $"--size '{text}' is not a size within {BodyBytesMin} B..{OptionText.FormatSize(BodyBytesMax)}.",
                "Write bytes, or KiB or MiB, such as 100,1KiB,16KiB.");

    private static int ParseCount(string name, string text, int min, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? (int)InRange(name, count, min, max)
            : throw new UsageException($"{name} '{text}' is not a number within {min}..{max}.");

    private int InRange(ParseResult result, Option<int> option, BenchFeatures feature, int min, int max, int absent) =>
        Has(feature) ? (int)InRange(option.Name, result.GetValue(option), min, max) : absent;

    private static long InRange(string name, long value, long min, long max) => value >= min && value <= max
        ? value
        : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{name} {value} is outside {min}..{max}."));

    private static TimeSpan Time(ParseResult result, Option<string> option, TimeSpan max, bool isZeroPossible = false)
    {
        var text = result.GetValue(option)!;
        if (isZeroPossible && text is "0" or "0s")
        {
            return TimeSpan.Zero;
        }

        var time = DurationArgument.Parse(option.Name, text, "10s");
        return time <= max ? time : throw new UsageException($"{option.Name} '{text}' is longer than {max.TotalHours:0} h.");
    }

    private double? Rate(ParseResult result) => result.GetValue(_rate) switch
    {
        null => null,
        { } rate and >= 0.1 and <= 10_000_000 => rate,
        { } rate => throw new UsageException(
            string.Create(CultureInfo.InvariantCulture, $"--rate {rate} is outside 0.1..10000000 messages a second.")),
    };

    private long Backlog(ParseResult result) =>
        OptionText.TryParseSize(result.GetValue(_backlogSize)!, out var bytes) && bytes is > 0 and <= 1L << 40
            ? bytes
            : throw new UsageException(
                $"--backlog-size '{result.GetValue(_backlogSize)}' is not a size up to 1024GiB.", "Write MiB or GiB, such as 5GiB.");
}
