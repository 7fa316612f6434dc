using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>Who is on the other side of a connection, in gRPC's terms.</summary>
internal static class PeerAddress
{
    private const string CommonName = "x509_common_name";
    private const string SubjectAlternativeName = "x509_subject_alternative_name";

    public static string Format(ConnectionInfo connection)
    {
        var port = connection.RemotePort.ToString(CultureInfo.InvariantCulture);
        return connection.RemoteIpAddress switch
        {
            null => "unknown",
            { AddressFamily: AddressFamily.InterNetworkV6 } address => $"ipv6:[{address}]:{port}",
            var address => $"ipv4:{address}:{port}",
        };
    }

    /// <summary>Names from the client's certificate; without one the peer counts as not authenticated.</summary>
    public static AuthContext Authenticate(X509Certificate2? certificate)
    {
        var properties = new Dictionary<string, List<AuthProperty>>(StringComparer.Ordinal);
        if (certificate is null)
        {
            return new AuthContext(null, properties);
        }

        Add(properties, SubjectAlternativeName, certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false));
        Add(properties, CommonName, certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
        var identity = properties.ContainsKey(SubjectAlternativeName) ? SubjectAlternativeName
            : properties.ContainsKey(CommonName) ? CommonName : null;
        return new AuthContext(identity, properties);
    }

    private static void Add(Dictionary<string, List<AuthProperty>> properties, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            properties[name] = [AuthProperty.Create(name, System.Text.Encoding.UTF8.GetBytes(value))];
        }
    }
}
