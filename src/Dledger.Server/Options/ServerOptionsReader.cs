using Dledger.Primitives;

namespace Dledger.Server.Options;

/// <summary>Makes <see cref="ServerOptions"/> out of a file, environment variables and the command line.</summary>
public static class ServerOptionsReader
{
    private const int ClientPortDefault = 8081;

    /// <summary>Reads all sources, a later one winning, and reports every problem of all of them at once.</summary>
    /// <param name="file">JSON file, comments allowed; null: none.</param>
    /// <param name="environment">Variables; those that begin with <c>DLEDGER__</c> count, two underscores standing for
    /// the dot of a key: <c>DLEDGER__CLIENT__PORT=8081</c>.</param>
    /// <param name="overrides">Keys of the command line, as in <see cref="OptionKeys.All"/>.</param>
    /// <exception cref="ServerOptionsException">Unknown keys, unreadable values, values out of range, values that do
    /// not go together. Nothing was opened.</exception>
    public static ServerOptions Load(
        string? file,
        IReadOnlyDictionary<string, string> environment,
        IReadOnlyDictionary<string, string> overrides)
    {
        var problems = new List<string>();
        var sources = new OptionSources(problems);
        if (file is not null)
        {
            sources.AddFile(file);
        }

        sources.AddEnvironment(environment);
        sources.AddOverrides(overrides);

        var values = new OptionValues(sources.Values, problems);
        values.CheckNames();
        var options = ReadAll(values);

        // A value that could not be read stands in as its default, which is in range: nothing is reported twice.
        problems.AddRange(options.Validate());
        return problems.Count == 0 ? options : throw new ServerOptionsException(problems);
    }

    private static ServerOptions ReadAll(OptionValues values)
    {
        var defaults = new ServerOptions();
        var nodeId = new NodeId(values.Integer(OptionKeys.NodeId, defaults.NodeId.Value));
        var nodes = Enumerable.Range(0, values.NodeCount).Select(index => ReadNode(values, index)).ToArray();
        return new ServerOptions
        {
            NodeId = nodeId,
            DataDirectory = values.Text(OptionKeys.DataDirectory, defaults.DataDirectory),
            PeerListenAddress = values.Text(OptionKeys.PeerListenAddress, defaults.PeerListenAddress),
            Nodes = nodes,
            Client = ReadClient(values, defaults.Client, nodes.FirstOrDefault(node => node.Id == nodeId)),
            Storage = new StorageOptions
            {
                FlushMode = values.Choice(OptionKeys.StorageFlushMode, defaults.Storage.FlushMode),
                SegmentBytes = values.Number(OptionKeys.StorageSegmentSize, defaults.Storage.SegmentBytes),
                RetentionTime = values.Duration(OptionKeys.StorageRetentionTime, defaults.Storage.RetentionTime),
                RetentionBytes = values.Number(OptionKeys.StorageRetentionSize, defaults.Storage.RetentionBytes),
                RetentionDiskPercent = values.Integer(
                    OptionKeys.StorageRetentionDiskUse, defaults.Storage.RetentionDiskPercent),
                CatchUpBytesPerSecond = values.Number(OptionKeys.StorageCatchUpRate, defaults.Storage.CatchUpBytesPerSecond),
            },
            Raft = new RaftTimingOptions
            {
                ElectionTimeoutMin = values.Duration(
                    OptionKeys.RaftElectionTimeoutMin, defaults.Raft.ElectionTimeoutMin),
                ElectionTimeoutMax = values.Duration(
                    OptionKeys.RaftElectionTimeoutMax, defaults.Raft.ElectionTimeoutMax),
                Heartbeat = values.Duration(OptionKeys.RaftHeartbeat, defaults.Raft.Heartbeat),
            },
            AutoReplace = values.Switch(OptionKeys.ClusterAutoReplace, defaults.AutoReplace),
            Topics = new TopicOptions
            {
                AutoCreateTopics = values.Switch(OptionKeys.TopicsAutoCreate, defaults.Topics.AutoCreateTopics),
                AutoCreateGroups = values.Switch(OptionKeys.TopicsAutoCreateGroups, defaults.Topics.AutoCreateGroups),
                QueueCountDefault = values.Integer(OptionKeys.TopicsQueueCount, defaults.Topics.QueueCountDefault),
            },
            Limits = ReadLimits(values, defaults.Limits),
        };
    }

    private static NodeAddress ReadNode(OptionValues values, int index)
    {
        var host = values.Text(OptionKeys.NodesHost, "", index);
        return new NodeAddress(
            new NodeId(values.Integer(OptionKeys.NodesId, index + 1, index)),
            host,
            values.Integer(OptionKeys.NodesPeerPort, 0, index),
            values.Text(OptionKeys.NodesClientHost, host, index),
            values.Integer(OptionKeys.NodesClientPort, ClientPortDefault, index));
    }

    private static ClientOptions ReadClient(OptionValues values, ClientOptions defaults, NodeAddress? self) => new()
    {
        ListenAddress = values.Text(OptionKeys.ClientListenAddress, defaults.ListenAddress),
        Port = values.Integer(OptionKeys.ClientPort, self?.ClientPort ?? defaults.Port),
        AdvertisedHost = values.OptionalText(OptionKeys.ClientAdvertisedHost),
        AdvertisedPort = values.Integer(OptionKeys.ClientAdvertisedPort, defaults.AdvertisedPort),
        ConnectionsMax = values.Integer(OptionKeys.ClientConnectionsMax, defaults.ConnectionsMax),
        Tls = values.Choice(OptionKeys.ClientTls, defaults.Tls),
        CertificateFile = values.OptionalText(OptionKeys.ClientCertificateFile),
        KeyFile = values.OptionalText(OptionKeys.ClientKeyFile),
    };

    private static LimitOptions ReadLimits(OptionValues values, LimitOptions defaults) => new()
    {
        BodyBytesMax = values.Integer(OptionKeys.LimitsBodySize, defaults.BodyBytesMax),
        RequestBytesMax = values.Integer(OptionKeys.LimitsRequestSize, defaults.RequestBytesMax),
        LongPollMax = values.Duration(OptionKeys.LimitsLongPoll, defaults.LongPollMax),
        ReceiveBatchCount = values.Integer(OptionKeys.LimitsReceiveBatch, defaults.ReceiveBatchCount),
        ParkedPollsMax = values.Integer(OptionKeys.LimitsParkedPolls, defaults.ParkedPollsMax),
        ClientMessagesPerSecond = values.Number(OptionKeys.LimitsClientMessagesPerSecond, defaults.ClientMessagesPerSecond),
        ClientBytesPerSecond = values.Number(OptionKeys.LimitsClientBytesPerSecond, defaults.ClientBytesPerSecond),
        DrainMax = values.Duration(OptionKeys.LimitsDrain, defaults.DrainMax),
    };
}
