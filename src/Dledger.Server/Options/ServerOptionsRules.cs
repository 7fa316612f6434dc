using System.Net;
using Dledger.Replication;

namespace Dledger.Server.Options;

/// <summary>What must hold between and within the options. Looks at nothing outside them but the named files.</summary>
internal static class ServerOptionsRules
{
    public static IReadOnlyList<string> Check(ServerOptions options)
    {
        var problems = new List<string>();
        OptionKeys.NodeId.Check(problems, options.NodeId.Value);
        CheckText(problems, OptionKeys.DataDirectory, options.DataDirectory);
        CheckIpAddress(problems, OptionKeys.PeerListenAddress, options.PeerListenAddress);
        CheckNodes(problems, options);
        CheckClient(problems, options.Client, options.Nodes.Count > 0);

        OptionKeys.StorageSegmentSize.Check(problems, options.Storage.SegmentBytes);
        OptionKeys.StorageRetentionTime.Check(problems, (long)options.Storage.RetentionTime.TotalMicroseconds);
        OptionKeys.StorageRetentionSize.Check(problems, options.Storage.RetentionBytes);
        OptionKeys.StorageRetentionDiskUse.Check(problems, options.Storage.RetentionDiskPercent);
        OptionKeys.StorageCatchUpRate.Check(problems, options.Storage.CatchUpBytesPerSecond);
        if (options.Storage.SegmentBytes % 4_096 != 0)
        {
            problems.Add($"{OptionKeys.StorageSegmentSize.Name}: must be a multiple of 4KiB");
        }

        CheckRaft(problems, options.Raft);
        OptionKeys.TopicsQueueCount.Check(problems, options.Topics.QueueCountDefault);
        OptionKeys.LimitsBodySize.Check(problems, options.Limits.BodyBytesMax);
        OptionKeys.LimitsRequestSize.Check(problems, options.Limits.RequestBytesMax);
        OptionKeys.LimitsLongPoll.Check(problems, (long)options.Limits.LongPollMax.TotalMicroseconds);
        OptionKeys.LimitsReceiveBatch.Check(problems, options.Limits.ReceiveBatchCount);
        OptionKeys.LimitsParkedPolls.Check(problems, options.Limits.ParkedPollsMax);
        OptionKeys.LimitsClientMessagesPerSecond.Check(problems, options.Limits.ClientMessagesPerSecond);
        OptionKeys.LimitsClientBytesPerSecond.Check(problems, options.Limits.ClientBytesPerSecond);
        OptionKeys.LimitsDrain.Check(problems, (long)options.Limits.DrainMax.TotalMicroseconds);
        return problems;
    }

    private static void CheckNodes(List<string> problems, ServerOptions options)
    {
        var nodes = options.Nodes;
        if (nodes.Count == 0)
        {
            return;
        }

        if (nodes.Count > ReplicationOptions.VoterCountMax)
        {
            problems.Add($"nodes: {nodes.Count} nodes, at most {ReplicationOptions.VoterCountMax} are allowed");
        }

        for (var index = 0; index < nodes.Count; index++)
        {
            var node = nodes[index];
            CheckNode(problems, index, OptionKeys.NodesId, node.Id.Value);
            CheckNode(problems, index, OptionKeys.NodesPeerPort, node.PeerPort);
            CheckNode(problems, index, OptionKeys.NodesClientPort, node.ClientPort);
            if (string.IsNullOrWhiteSpace(node.Host))
            {
                problems.Add($"nodes.{index}.host: is missing; name the host where others reach node {node.Id}");
                continue;
            }

            CheckHost(problems, $"nodes.{index}.host", node.Host);
            CheckHost(problems, $"nodes.{index}.clientHost", node.ClientHost);
        }

        foreach (var twice in nodes.GroupBy(node => node.Id).Where(group => group.Count() > 1))
        {
            problems.Add($"nodes: the id {twice.Key} is used {twice.Count()} times; each node needs its own");
        }

        foreach (var twice in nodes.GroupBy(node => (node.Host, node.PeerPort)).Where(group => group.Count() > 1))
        {
            problems.Add($"nodes: {twice.Key.Host}:{twice.Key.PeerPort} is used by more than one node");
        }

        foreach (var twice in nodes.GroupBy(node => (node.ClientHost, node.ClientPort)).Where(g => g.Count() > 1))
        {
            var (host, port) = twice.Key;
            problems.Add($"nodes: clients are told {host}:{port} for more than one node");
        }

        if (nodes.All(node => node.Id != options.NodeId))
        {
            var ids = string.Join(", ", nodes.Select(node => node.Id));
            problems.Add($"{OptionKeys.NodeId.Name}: {options.NodeId} is not among the ids of nodes ({ids})");
        }
    }

    private static void CheckNode(List<string> problems, int index, OptionKey key, long value) =>
        (key with { Name = key.Name.Replace("#", index.ToString(System.Globalization.CultureInfo.InvariantCulture)) })
            .Check(problems, value);

    private static void CheckClient(List<string> problems, ClientOptions client, bool isCluster)
    {
        CheckIpAddress(problems, OptionKeys.ClientListenAddress, client.ListenAddress);
        OptionKeys.ClientPort.Check(problems, client.Port);
        OptionKeys.ClientAdvertisedPort.Check(problems, client.AdvertisedPort);
        OptionKeys.ClientConnectionsMax.Check(problems, client.ConnectionsMax);
        CheckHost(problems, OptionKeys.ClientAdvertisedHost.Name, client.AdvertisedHost);
        if (isCluster && (client.AdvertisedHost is not null || client.AdvertisedPort != 0))
        {
            problems.Add(
                "client.advertisedHost, client.advertisedPort: are for a node alone; set clientHost and clientPort "
                    + "in nodes");
        }

        if (isCluster && client.Port == 0)
        {
            problems.Add($"{OptionKeys.ClientPort.Name}: 0 is for a node alone; the other nodes must know the port");
        }

        if (client.CertificateFile is null != client.KeyFile is null)
        {
            problems.Add("client.certificateFile, client.keyFile: set both or neither");
        }

        CheckFile(problems, OptionKeys.ClientCertificateFile, client.CertificateFile);
        CheckFile(problems, OptionKeys.ClientKeyFile, client.KeyFile);
    }

    private static void CheckRaft(List<string> problems, RaftTimingOptions raft)
    {
        OptionKeys.RaftElectionTimeoutMin.Check(problems, (long)raft.ElectionTimeoutMin.TotalMicroseconds);
        OptionKeys.RaftElectionTimeoutMax.Check(problems, (long)raft.ElectionTimeoutMax.TotalMicroseconds);
        OptionKeys.RaftHeartbeat.Check(problems, (long)raft.Heartbeat.TotalMicroseconds);
        if (raft.ElectionTimeoutMax <= raft.ElectionTimeoutMin)
        {
            problems.Add("raft.electionTimeoutMax: must be above raft.electionTimeoutMin");
        }

        if (raft.Heartbeat * 6 > raft.ElectionTimeoutMin)
        {
            problems.Add("raft.heartbeat: must be at most a sixth of raft.electionTimeoutMin");
        }
    }

    private static void CheckText(List<string> problems, OptionKey key, string value)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            problems.Add($"{key.Name}: must not be blank");
        }
    }

    private static void CheckIpAddress(List<string> problems, OptionKey key, string value)
    {
        if (!IPAddress.TryParse(value, out _))
        {
            problems.Add($"{key.Name}: '{value}' is not an IP address; use 0.0.0.0 or [::] for all interfaces");
        }
    }

    private static void CheckHost(List<string> problems, string key, string? value)
    {
        if (value is not null && Uri.CheckHostName(value) == UriHostNameType.Unknown)
        {
            problems.Add($"{key}: '{value}' is neither a host name nor an IP address; write no port and no scheme");
        }
    }

    private static void CheckFile(List<string> problems, OptionKey key, string? path)
    {
        if (path is not null && !File.Exists(path))
        {
            problems.Add($"{key.Name}: the file '{path}' does not exist or cannot be read");
        }
    }
}
