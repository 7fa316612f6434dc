namespace Dledger.Client.Connections;

/// <summary>Where a cluster is and how patient its client should be.</summary>
public sealed record DledgerChannelOptions
{
    /// <summary>The port of a node that runs with its defaults on this machine.</summary>
    public const string DefaultAddress = "127.0.0.1:8081";

    /// <summary><c>host:port</c> of one or several nodes, or <c>https://host:port</c> for TLS. Any node answers; the
    /// others are asked when it does not.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [DefaultAddress];

    /// <summary>How long one attempt of a call may take; at least 100 ms. Raise it for links with long round trips.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a call is tried again while no node takes it; 0 tries every address once.</summary>
    public TimeSpan RetryTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Name of this client in the cluster; must differ from that of every other client. Default: a new one.</summary>
    public string ClientId { get; init; } = $"{Environment.MachineName}@{Environment.ProcessId}@{Guid.NewGuid():N}";

    /// <summary>Accept any certificate of an <c>https</c> address. Nodes without a configured certificate make one that no
    /// authority has signed.</summary>
    public bool AcceptAnyCertificate { get; init; }
}
