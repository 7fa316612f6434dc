using Dledger.Primitives;

namespace Dledger.Raft.Tests;

public sealed class RaftOptionsTests
{
    [Fact]
    public void The_defaults_are_usable() => Assert.Empty(Create().Validate());

    [Fact]
    public void All_problems_are_reported_at_once()
    {
        var options = Create() with { ElectionTimeoutMin = 100_000, ElectionTimeoutMax = 100_000, HeartbeatInterval = 50_000, RangeBytesMax = 0 };

        Assert.Equal(3, options.Validate().Count);
    }

    private static RaftOptions Create() =>
        new() { Self = new NodeId(1), StorageId = Guid.Empty };
}
