namespace Dledger.Conformance.Tests.Nodes;

/// <summary>Names that no other test uses.</summary>
internal static class Unique
{
    private static int _count;

    public static string Name(string prefix) => $"{prefix}-{Interlocked.Increment(ref _count)}";
}
