namespace Dledger.Server.Options;

/// <summary>The port that clients use.</summary>
public sealed record ClientOptions
{
    /// <summary><c>client.listenAddress</c>: IP address to listen on. Change it to expose one interface only.</summary>
    public string ListenAddress { get; init; } = "0.0.0.0";

    /// <summary><c>client.port</c>: TCP port, 0..65535; 0 takes a free one, which only suits a single node.</summary>
    public int Port { get; init; } = 8081;

    /// <summary><c>client.advertisedHost</c>: host name or IP address that clients are told. Only without
    /// <c>nodes</c>, which name it otherwise. Default: the listen address, or the machine's name when that is any.
    /// </summary>
    public string? AdvertisedHost { get; init; }

    /// <summary><c>client.advertisedPort</c>: port that clients are told, 0..65535; 0 means the bound one. Only without
    /// <c>nodes</c>.</summary>
    public int AdvertisedPort { get; init; }

    /// <summary><c>client.connectionsMax</c>: open connections, 1..1000000. Further ones are closed at once. Keep it
    /// below the file limit of the process; the server lowers it when it is not.</summary>
    public int ConnectionsMax { get; init; } = 10_000;

    /// <summary><c>client.tls</c>: optional, off or required.</summary>
    public TlsMode Tls { get; init; } = TlsMode.Optional;

    /// <summary><c>client.certificateFile</c>: PEM file with the certificate and its chain. Without it the server makes
    /// a self-signed one in the data directory.</summary>
    public string? CertificateFile { get; init; }

    /// <summary><c>client.keyFile</c>: PEM file with the private key of the certificate.</summary>
    public string? KeyFile { get; init; }
}
