using System.Text.Json;

namespace Dledger.Integration.Tests.Scripts;

/// <summary>How the scripts write their lines.</summary>
internal static class Json
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web);
}
