using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dledger.Server.Listening;

/// <summary>The certificate of the client port: from files, or one that the node makes for itself.</summary>
/// <remarks>
/// A self-made certificate is kept in <c>tls/</c> of the data directory (<c>server.pem</c>, <c>server.key</c>, the key
/// readable by the owner only), so that clients see the same one after a restart. It names the advertised host, because
/// one client library checks the host name and nothing else. It is made anew when it no longer names the host, ends within
/// a month, or cannot be read: its files are not synced, so a loss of power soon after the first start may empty them.
/// </remarks>
internal static class ServerCertificate
{
    private const string Folder = "tls";
    private const string CertificateName = "server.pem";
    private const string KeyName = "server.key";
    private const int ValidYears = 10;

    private static readonly TimeSpan RenewalMargin = TimeSpan.FromDays(30);

    /// <summary>Reads PEM files that an operator gave.</summary>
    /// <exception cref="ListenException">The files hold no usable certificate and key.</exception>
    public static X509Certificate2 Load(string certificateFile, string keyFile)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException
            or UnauthorizedAccessException or ArgumentException)
        {
            throw new ListenException(
                $"The certificate '{certificateFile}' with the key '{keyFile}' cannot be used: {exception.Message}",
                exception);
        }
    }

    /// <summary>The stored certificate of this node, or a new one.</summary>
    public static X509Certificate2 LoadOrCreate(string dataDirectory, string advertisedHost, TimeProvider time)
    {
        var folder = Path.Combine(dataDirectory, Folder);
        var certificateFile = Path.Combine(folder, CertificateName);
        var keyFile = Path.Combine(folder, KeyName);
        if (File.Exists(certificateFile) && File.Exists(keyFile) && TryLoad(certificateFile, keyFile) is { } stored)
        {
            if (stored.MatchesHostname(advertisedHost)
                && stored.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime > RenewalMargin)
            {
                return stored;
            }

            stored.Dispose();
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var created = Create(advertisedHost, key, time);
        Directory.CreateDirectory(folder);
        File.Delete(keyFile);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var writer = new StreamWriter(keyFile, options))
        {
            writer.WriteLine(key.ExportPkcs8PrivateKeyPem());
        }

        File.WriteAllText(certificateFile, created.ExportCertificatePem() + Environment.NewLine);
        return Load(certificateFile, keyFile);
    }

    /// <summary>What was stored; null when it cannot be used.</summary>
    private static X509Certificate2? TryLoad(string certificateFile, string keyFile)
    {
        try
        {
            return Load(certificateFile, keyFile);
        }
        catch (ListenException)
        {
            return null;
        }
    }

    private static X509Certificate2 Create(string advertisedHost, ECDsa key, TimeProvider time)
    {
        var request = new CertificateRequest("CN=Dledger", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        if (!IPAddress.TryParse(advertisedHost, out var address))
        {
            names.AddDnsName(advertisedHost);
        }
        else if (!IPAddress.IsLoopback(address))
        {
            names.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], false));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddYears(ValidYears));
    }
}
