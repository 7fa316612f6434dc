using Apache.Rocketmq.V2;
using Dledger.Chaos.Features;
using Google.Protobuf;

namespace Dledger.Chaos.Tests;

/// <summary>What judges the rounds of features: without it a round that proves nothing would count as kept.</summary>
public sealed class FeatureRoundTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly PatientClient _client = new([], "nobody");

    [Fact]
    public void A_message_that_overtakes_in_its_message_group_is_a_finding()
    {
        var round = NewRound();
        var order = new MessageGroupOrder(round, groupCount: 2);

        order.Delivered([Message("0:0"), Message("0:1"), Message("1:0")]);
        order.AckInvoked(Message("1:0"));
        order.Delivered([Message("1:1")]);
        Assert.Empty(round.Findings);

        order.Delivered([Message("0:1")]);
        Assert.Equal("message 1 of message group 0 came while only those up to -1 were done", Assert.Single(round.Findings));
    }

    [Fact]
    public void The_order_is_done_when_the_last_message_of_each_message_group_was_acknowledged()
    {
        var order = new MessageGroupOrder(NewRound(), groupCount: 2);
        order.Acked(Message("0:1"));
        order.Acked(Message("1:0"));

        Assert.False(order.IsDone);
        order.Expect([2, 2]);
        Assert.False(order.IsDone);
        order.Acked(Message("1:1"));
        Assert.True(order.IsDone);
    }

    [Fact]
    public async Task Work_goes_on_until_the_leader_has_died_and_a_little_longer()
    {
        using var limit = new CancellationTokenSource(Patience);
        var round = NewRound();
        var numbers = new List<int>();

        await foreach (var number in round.NumbersAsync(3, TimeSpan.Zero, limit.Token))
        {
            numbers.Add(number);
            if (number == 20)
            {
                round.NoteLeaderDied();
            }
        }

        Assert.Equal(Enumerable.Range(0, 31), numbers);
    }

    [Fact]
    public async Task Work_is_at_least_as_much_as_was_asked_for()
    {
        using var limit = new CancellationTokenSource(Patience);
        var round = NewRound();
        round.NoteLeaderDied();
        var count = 0;

        await foreach (var _ in round.NumbersAsync(40, TimeSpan.Zero, limit.Token))
        {
            count++;
        }

        Assert.Equal(40, count);
    }

    [Fact]
    public void Every_feature_has_a_name_of_its_own_and_stands_in_the_documents()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "chaos.md"));

        Assert.Distinct(FeatureCatalogue.All.Select(feature => feature.Name));
        Assert.All(FeatureCatalogue.All, feature => Assert.Contains($"`{feature.Name}`", page, StringComparison.Ordinal));
    }

    public void Dispose() => _client.Dispose();

    private FeatureRound NewRound() => new(_client, "test", new Random(1));

    private static Message Message(string body) => new() { Body = ByteString.CopyFromUtf8(body) };

    private static string RepositoryRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Dledger.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("no Dledger.sln above the tests");
        }

        return directory;
    }
}
