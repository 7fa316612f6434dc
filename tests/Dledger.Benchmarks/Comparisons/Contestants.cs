using Dledger.Bench.Clusters;
using Dledger.Bench.Targets;
using Dledger.Benchmarks.Servers;
using Dledger.Benchmarks.Targets;
using Dledger.Chaos.Machines;
using Dledger.Client.Administration;
using Dledger.Client.Connections;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>Who takes part, in the order of the tables: each durability with its peers.</summary>
internal sealed class Contestants(string executable, string commit, Undertaker undertaker)
{
    private const int StreamReceiveCount = 256;
    private const string UnarySync = "dledger-v2-sync";
    private const string UnaryAsync = "dledger-v2-async";
    private const string StreamSync = "dledger-stream-sync";
    private const string StreamAsync = "dledger-stream-async";
    private const string Rabbit = "rabbitmq";
    private const string Nats = "nats";
    private const string NatsAlways = "nats-always";

    // A majority of three.
    private const int Copies = 2;
    private const long NatsStoreBytesMax = 16L << 30;

    private const string NatsReceive = "sent and not answered, one for each message; the state of a group has three replicas";

    public static IReadOnlyList<string> Keys { get; } =
        [UnarySync, StreamSync, Rabbit, NatsAlways, UnaryAsync, StreamAsync, Nats];

    /// <summary>Those that can be started here, and why the others cannot.</summary>
    public async Task<(IReadOnlyList<Contestant> Present, IReadOnlyList<Absence> Absent)> FindAsync()
    {
        var present = new List<Contestant>
        {
            Dledger(UnarySync, isStream: false, isSynced: true),
            Dledger(StreamSync, isStream: true, isSynced: true),
            Dledger(UnaryAsync, isStream: false, isSynced: false),
            Dledger(StreamAsync, isStream: true, isSynced: false),
        };
        var absent = new List<Absence>();
        if (PeerPrograms.Rabbit() is { } scripts)
        {
            present.Add(RabbitMq(scripts, await PeerPrograms.RabbitVersionAsync()));
        }
        else
        {
            absent.Add(new Absence(Rabbit, null, 0, "rabbitmq-server is not installed"));
        }

        if (PeerPrograms.Nats() is { } program)
        {
            await FindNatsAsync(program, present, absent);
        }
        else
        {
            absent.Add(new Absence(Nats, null, 0, "nats-server is not installed"));
        }

        return ([.. present.OrderBy(one => Keys.ToList().IndexOf(one.Key))], absent);
    }

    private async Task FindNatsAsync(string program, List<Contestant> present, List<Absence> absent)
    {
        var version = await PeerPrograms.NatsVersionAsync(program);
        present.Add(NatsJetStream(
            Nats,
            $"NATS {version}",
            program,
            version,
            null,
            AckDurability.PageCache,
            "stored by two of three replicas, in the page cache; a timer syncs the files every two minutes"));
        if (await PeerPrograms.NatsCanSyncAlwaysAsync(program, undertaker.Directory))
        {
            present.Add(NatsJetStream(
                NatsAlways,
                $"NATS {version} sync always",
                program,
                version,
                "always",
                AckDurability.Synced,
                "stored and synced by two of three replicas"));
        }
        else
        {
            absent.Add(new Absence(NatsAlways, null, 0, $"nats-server {version} refuses sync_interval: it came with 2.10"));
        }
    }

    private Contestant Dledger(string key, bool isStream, bool isSynced)
    {
        var flushMode = isSynced ? "QUORUM_SYNC" : "QUORUM_ASYNC";
        return new Contestant
        {
            Key = key,
            Title = $"Dledger {(isStream ? "stream" : "v2")} {flushMode}",
            Version = commit,
            IsPeer = false,
            Ack = new AckPromise(isSynced ? AckDurability.Synced : AckDurability.PageCache, Copies),
            SendMeaning = isSynced
                ? "committed: written and synced (fdatasync) by two of three nodes"
                : "committed: written by two of three nodes, in the page cache",
            ReceiveMeaning = "committed in the same way as a message before the call ends; one call for up to 32 messages",
            StartAsync = _ => Task.FromResult<IServerCluster>(DledgerCluster.Start(executable, 3, flushMode, undertaker)),
            OpenAsync = async (cluster, cancellationToken) =>
            {
                var addresses = await LeaderFirstAsync(((DledgerCluster)cluster).Addresses, cancellationToken);
                var channel = new DledgerChannel(new DledgerChannelOptions { Addresses = addresses });
                var ack = ClusterPromise.Of(await new AdminClient(channel).DescribeClusterAsync(cancellationToken));
                var resources = new BenchResources(channel, BenchNames.New(), reuses: false);
                return new OwnedTarget(
                    isStream ? new StreamTarget(channel, ack, resources, StreamReceiveCount) : new UnaryTarget(channel, ack, resources), channel);
            },
        };
    }

    private Contestant RabbitMq(string scripts, string version)
    {
        var ack = new AckPromise(AckDurability.Synced, Copies);
        return new Contestant
        {
            Key = Rabbit,
            Title = $"RabbitMQ {version}",
            Version = version,
            IsPeer = true,
            Ack = ack,
            SendMeaning = "confirmed by a quorum queue: written and synced (fdatasync) to the log of two of three members",
            ReceiveMeaning = "sent and not answered, one frame for up to 32 messages",
            StartAsync = async cancellationToken => await RabbitCluster.StartAsync(scripts, undertaker, cancellationToken),
            OpenAsync = (cluster, _) =>
                Task.FromResult<IBenchTarget>(new RabbitTarget(Rabbit, ((RabbitCluster)cluster).Ports[0], ack)),
        };
    }

    private Contestant NatsJetStream(
        string key, string title, string program, string version, string? syncInterval, AckDurability durability, string sendMeaning)
    {
        var ack = new AckPromise(durability, Copies);
        return new Contestant
        {
            Key = key,
            Title = title,
            Version = version,
            IsPeer = true,
            Ack = ack,
            SendMeaning = sendMeaning,
            ReceiveMeaning = NatsReceive,
            StartAsync = async cancellationToken =>
                await NatsCluster.StartAsync(program, syncInterval, NatsStoreBytesMax, undertaker, cancellationToken),
            OpenAsync = (cluster, _) =>
                Task.FromResult<IBenchTarget>(new NatsTarget(key, ((NatsCluster)cluster).Addresses, ack)),
        };
    }

    // The clients of the peers are connected to the leader too.
    private static async Task<IReadOnlyList<string>> LeaderFirstAsync(IReadOnlyList<string> addresses, CancellationToken cancellationToken)
    {
        await using var channel = new DledgerChannel(new DledgerChannelOptions { Addresses = addresses });
        var cluster = await new AdminClient(channel).DescribeClusterAsync(cancellationToken);
        var leader = cluster.Nodes.FirstOrDefault(node => node.IsServing)
            ?? throw new ServerException("no node leads yet");
        return [.. addresses.OrderByDescending(address => address.EndsWith(leader.ClientAddress, StringComparison.Ordinal))];
    }
}
