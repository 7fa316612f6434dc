using Dledger.Server.Listening;

namespace Dledger.Server.Tests;

/// <summary>The certificate that a node makes for itself.</summary>
public sealed class ServerCertificateTests
{
    [Theory]
    [InlineData("server.key")]
    [InlineData("server.pem")]
    public void A_self_made_certificate_that_lost_its_bytes_with_the_power_is_made_anew(string file)
    {
        var directory = Directory.CreateTempSubdirectory("dledger-certificate-").FullName;
        try
        {
            using var first = ServerCertificate.LoadOrCreate(directory, "node.example", TimeProvider.System);
            File.WriteAllText(Path.Combine(directory, "tls", file), "");

            using var second = ServerCertificate.LoadOrCreate(directory, "node.example", TimeProvider.System);
            using var third = ServerCertificate.LoadOrCreate(directory, "node.example", TimeProvider.System);

            Assert.True(second.HasPrivateKey);
            Assert.NotEqual(first.Thumbprint, second.Thumbprint);
            Assert.Equal(second.Thumbprint, third.Thumbprint);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
