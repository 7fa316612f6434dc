using Dledger.Allocation.Tests.Operations;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;

namespace Dledger.Allocation.Tests;

/// <summary>What a message costs where something has to be allocated: the present count, so that growth is noticed and argued for.</summary>
public sealed class InherentAllocationTests
{
    /// <summary>The tail cache keeps the frame for peers, apply and consumers: one array, and nothing beside it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public void A_frame_costs_its_bytes(int recordCount)
    {
        var frames = new FrameOperations(recordCount);

        Assert.Equal(Allocated.By(() => new byte[frames.FrameBytes]), Allocated.PerCall(() => frames.Build()));
    }

    /// <summary>The promise of a caller and the outcome of each message; the records are rented.</summary>
    [Fact]
    public void A_proposal_costs_itself_and_an_outcome_for_each_message()
    {
        var array = Allocated.By(() => new AppendEntry[3]);
        var proposal = Allocated.By(() => new AppendProposal(RecordBuffer.Of([]), 3));

        Assert.InRange(proposal - array, 1, 208);
    }

    /// <summary>Texts are decoded when somebody asks: a delivery that leaves as bytes is one object.</summary>
    [Fact]
    public void A_delivered_message_is_one_object_until_its_texts_are_asked_for()
    {
        var message = new MessageOperations();

        Assert.InRange(Allocated.By(message.Deliver), 1, 264);
    }
}
