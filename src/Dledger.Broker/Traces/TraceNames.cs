using System.Globalization;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;

namespace Dledger.Broker.Traces;

/// <summary>How answers to people name things.</summary>
internal static class TraceNames
{
    /// <summary>A client in quotes, or # and the hash in the log when this node has not heard its name.</summary>
    public static string OfClient(ClientRegistry clients, long clientHash) => clients.NameOf(clientHash) is { } name
        ? $"'{Names.Printable(name)}'"
        : string.Create(CultureInfo.InvariantCulture, $"#{clientHash:x16}");

    public static string Count(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? $"{one}s")}");
}
