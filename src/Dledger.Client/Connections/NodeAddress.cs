using System.Diagnostics.CodeAnalysis;

namespace Dledger.Client.Connections;

/// <summary>Address of one node, checked.</summary>
/// <param name="Uri"><c>http</c> or <c>https</c> with host and port.</param>
internal sealed record NodeAddress(Uri Uri)
{
    private const int DefaultPort = 8081;

    /// <summary><c>host:port</c>, <c>host</c> or an <c>http</c> or <c>https</c> address without a path.</summary>
    /// <exception cref="ArgumentException">The text is none of these.</exception>
    public static NodeAddress Parse(string text)
    {
        var hasScheme = text.Contains("://", StringComparison.Ordinal);
        if (!Uri.TryCreate(hasScheme ? text : $"http://{text}", UriKind.Absolute, out var uri)
            || uri.Scheme is not ("http" or "https")
            || uri.Host.Length == 0
            || uri.PathAndQuery != "/"
            || uri.UserInfo.Length > 0)
        {
            throw new ArgumentException(
                $"'{text}' is not an address of a node. Write host:port, such as {DledgerChannelOptions.DefaultAddress}.",
                nameof(text));
        }

        var authority = hasScheme ? text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..].TrimEnd('/') : text;
        var hasPort = authority.LastIndexOf(':') > authority.LastIndexOf(']');
        return new NodeAddress(hasPort ? uri : new UriBuilder(uri) { Port = DefaultPort }.Uri);
    }

    /// <summary>Host and port as a node told them; false when they are none.</summary>
    /// <param name="text">What it told.</param>
    /// <param name="scheme">How the cluster is spoken to.</param>
    /// <param name="address">The address.</param>
    public static bool TryParse(
        [NotNullWhen(true)] string? text, string scheme, [NotNullWhen(true)] out NodeAddress? address)
    {
        address = null;
        try
        {
            address = string.IsNullOrEmpty(text) ? null : Parse($"{scheme}://{text}");
        }
        catch (ArgumentException)
        {
            // As good as none.
        }

        return address is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Uri.IsDefaultPort ? $"{Uri.Host}:{Uri.Port}" : Uri.Authority;
}
