using Dledger.Allocation.Tests.Operations;
using Dledger.Primitives;
using Dledger.Replication.Queues;

namespace Dledger.Allocation.Tests;

/// <summary>What is done for each message, each record or each frame and must leave nothing to the garbage collector.</summary>
public sealed class ZeroAllocationTests
{
    [Theory]
    [InlineData(64)]
    [InlineData(240)]
    [InlineData(1024)]
    [InlineData(64 * 1024)]
    [InlineData(1024 * 1024)]
    public void A_checksum_allocates_nothing(int length)
    {
        var bytes = new byte[length];
        uint crc = 0;

        Assert.Equal(0, Allocated.PerCall(() => crc = Crc32C.Append(crc, bytes)));
    }

    [Fact]
    public void A_record_is_encoded_parsed_and_sealed_in_place()
    {
        var record = new RecordOperations();

        Assert.Equal(0, Allocated.PerCall(() => record.Encode()));
        Assert.Equal(0, Allocated.PerCall(() => Invariant.Check(record.Parse() == 1024, "the body is there")));
        Assert.Equal(0, Allocated.PerCall(() => Invariant.Check(record.ParseSealed() == 1024, "the body is there")));
        Assert.Equal(0, Allocated.PerCall(() => Invariant.Check(record.ParseUnchecked() == 1024, "the body is there")));
        Assert.Equal(0, Allocated.PerCall(record.Seal));
    }

    [Fact]
    public void A_frame_is_verified_and_walked_through_in_place()
    {
        var frames = new FrameOperations(recordCount: 20);

        Assert.Equal(0, Allocated.PerCall(() => Invariant.Check(frames.Verify() == frames.FrameBytes, "the frame is whole")));
        Assert.Equal(0, Allocated.PerCall(() => Invariant.Check(frames.Scan() == 20 * 1026, "all records are there")));
    }

    [Fact]
    public void The_tail_cache_finds_frames_without_a_trace()
    {
        var frames = new FrameOperations(recordCount: 1);

        Assert.Equal(0, Allocated.PerCall(() => Assert.True(frames.FindInCache())));
        Assert.Equal(0, Allocated.PerCall(() => Invariant.Check(frames.ReadFromCache() == 4096, "the bytes are there")));
        Assert.Equal(0, Allocated.PerCall(() => Invariant.Check(frames.CollectFromCache() == 32, "the frames are there")));
    }

    [Fact]
    public void An_index_entry_is_appended_and_read_in_the_queues_own_memory()
    {
        using var queue = new QueueOperations();
        queue.Append(5_000);

        Assert.Equal(0, Allocated.PerCall(() => queue.Append()));
        Assert.Equal(0, Allocated.PerCall(() => Invariant.Check(queue.Read() == 32, "the entries are there")));
    }

    [Fact]
    public void Properties_are_written_and_walked_through_in_place()
    {
        var message = new MessageOperations();

        Assert.Equal(0, Allocated.PerCall(() => message.WriteProperties()));
        Assert.Equal(0, Allocated.PerCall(() => message.EnumerateProperties()));
        Assert.Equal(0, Allocated.PerCall(() => message.IsExpired()));
    }

    /// <summary>The record lies in a rented array until its frame holds a copy.</summary>
    [Fact]
    public void A_message_becomes_a_record_without_garbage()
    {
        var message = new MessageOperations();

        Assert.Equal(0, Allocated.PerCall(() => message.Encode()));
        Assert.Equal(0, Allocated.PerCall(() => message.HashGroup()));
    }

    [Fact]
    public void Filters_look_at_stored_bytes()
    {
        var message = new MessageOperations();

        Assert.Equal(0, Allocated.PerCall(() => Assert.True(message.MayMatchTag())));
        Assert.Equal(0, Allocated.PerCall(() => Assert.True(message.MatchTag())));
        Assert.Equal(0, Allocated.PerCall(() => Assert.True(message.MatchSql())));
    }

    [Fact]
    public void Receipts_are_written_and_read_on_the_stack()
    {
        var message = new MessageOperations();

        Assert.Equal(0, Allocated.PerCall(message.EncodeReceipt));
        Assert.Equal(0, Allocated.PerCall(() => Assert.True(message.DecodeReceipt())));
    }

    [Fact]
    public void A_delivery_is_written_from_its_record()
    {
        var message = new MessageOperations();

        Assert.Equal(0, Allocated.PerCall(() => message.WriteDelivery()));
    }

    [Fact]
    public void A_gRPC_message_is_cut_out_of_the_stream_and_put_into_it_in_place()
    {
        var grpc = new GrpcOperations();

        Assert.Equal(0, Allocated.PerCall(() => Assert.True(grpc.Read())));
        Assert.Equal(0, Allocated.PerCall(() => grpc.Write()));
    }

    [Fact]
    public void Waking_a_loop_costs_no_memory()
    {
        var signal = new WakeSignal();

        Assert.Equal(0, Allocated.PerCall(() =>
        {
            signal.Set();
            signal.TryTake();
        }));
    }
}
