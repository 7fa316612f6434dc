namespace Dledger.Server.Options;

/// <summary>Which connections the client port takes.</summary>
public enum TlsMode
{
    /// <summary>Plaintext and TLS, told apart by the first byte of a connection.</summary>
    Optional,

    /// <summary>Plaintext only.</summary>
    Off,

    /// <summary>TLS only.</summary>
    Required,
}
