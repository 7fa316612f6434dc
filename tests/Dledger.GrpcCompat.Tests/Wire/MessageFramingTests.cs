#if !OFFICIAL_GRPC
using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Dledger.GrpcCompat.Wire;
using Grpc.Core;

namespace Dledger.GrpcCompat.Tests.Wire;

public sealed class MessageFramingTests
{
    private static readonly Marshaller<string> Text = Marshallers.StringMarshaller;

    [Fact]
    public async Task Messages_are_read_however_the_bytes_are_cut()
    {
        byte[] framed =
        [
            .. Frame("first", null),
            .. Frame("", null),
            .. Frame(new string('x', 5000), CompressionLevel.Fastest),
        ];
        foreach (var step in (int[])[1, 3, 7, framed.Length])
        {
            var pipe = new Pipe();
            var reader = new MessageReader(pipe.Reader, null, HeaderNames.Gzip);
            var writing = WriteInStepsAsync(pipe.Writer, framed, step);

            Assert.Equal("first", await reader.ReadAsync(Text, CancellationToken.None));
            Assert.Equal("", await reader.ReadAsync(Text, CancellationToken.None));
            Assert.Equal(new string('x', 5000), await reader.ReadAsync(Text, CancellationToken.None));
            Assert.True(reader.LastCompressed);
            Assert.Null(await reader.ReadAsync(Text, CancellationToken.None));
            Assert.Null(await reader.ReadAsync(Text, CancellationToken.None));
            await writing;
        }
    }

    [Fact]
    public async Task A_message_above_the_limit_is_refused_from_its_prefix_alone()
    {
        var pipe = new Pipe();
        var reader = new MessageReader(pipe.Reader, 10, null);
        await pipe.Writer.WriteAsync(Frame("12345678901", null).AsMemory(0, MessagePrefix.Bytes));

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await reader.ReadAsync(Text, CancellationToken.None));

        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
    }

    [Fact]
    public async Task A_message_of_exactly_the_limit_is_read()
    {
        Assert.Equal("1234567890", await ReadOneAsync(Frame("1234567890", null), 10, null));
    }

    [Fact]
    public async Task A_length_of_four_gigabytes_is_refused_without_a_limit()
    {
        var fault = await Assert.ThrowsAsync<RpcException>(
            () => ReadOneAsync([0, 0xff, 0xff, 0xff, 0xff], null, null));

        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
    }

    [Fact]
    public async Task A_small_message_that_inflates_above_the_limit_is_refused()
    {
        var bomb = Frame(new string('x', 1_000_000), CompressionLevel.Optimal);
        Assert.True(bomb.Length < 10_000);

        var fault = await Assert.ThrowsAsync<RpcException>(() => ReadOneAsync(bomb, 100_000, HeaderNames.Gzip));

        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(9)]
    public async Task A_stream_that_ends_within_a_message_is_refused(int length)
    {
        var fault = await Assert.ThrowsAsync<RpcException>(
            () => ReadOneAsync(Frame("abcde", null)[..length], null, null));

        Assert.Equal(StatusCode.Internal, fault.StatusCode);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(1, "identity")]
    [InlineData(2, "gzip")]
    [InlineData(255, "gzip")]
    public async Task A_flag_without_meaning_is_refused(byte flag, string? encoding)
    {
        var framed = Frame("abcde", null);
        framed[0] = flag;

        var fault = await Assert.ThrowsAsync<RpcException>(() => ReadOneAsync(framed, null, encoding));

        Assert.Equal(StatusCode.Internal, fault.StatusCode);
    }

    [Fact]
    public async Task Compressed_data_with_any_byte_lost_at_the_end_is_refused()
    {
        var whole = Frame("some text to be compressed", CompressionLevel.Fastest)[MessagePrefix.Bytes..];
        for (var length = 0; length < whole.Length; length++)
        {
            byte[] framed = [1, 0, 0, 0, (byte)length, .. whole[..length]];

            var fault = await Assert.ThrowsAsync<RpcException>(() => ReadOneAsync(framed, null, HeaderNames.Gzip));

            Assert.Equal(StatusCode.Internal, fault.StatusCode);
        }
    }

    [Fact]
    public async Task A_parser_that_fails_ends_the_call_with_internal_and_every_later_read_fails_alike()
    {
        var marshaller = new Marshaller<string>(Text.Serializer, _ => throw new FormatException("secret"));
        var reader = new MessageReader(PipeReader.Create(new ReadOnlySequence<byte>(Frame("a", null))), null, null);

        for (var read = 0; read < 2; read++)
        {
            var fault = await Assert.ThrowsAsync<RpcException>(
                async () => await reader.ReadAsync(marshaller, CancellationToken.None));
            Assert.Equal(StatusCode.Internal, fault.StatusCode);
            Assert.DoesNotContain("secret", fault.Status.Detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_message_above_the_sending_limit_is_refused_and_leaves_nothing_behind(bool announced)
    {
        var marshaller = new Marshaller<string>(
            (text, context) =>
            {
                if (announced)
                {
                    context.SetPayloadLength(text.Length);
                }

                context.GetBufferWriter().Write(new byte[text.Length]);
                context.Complete();
            },
            _ => "");
        var target = new ArrayBufferWriter<byte>();

        var fault = Assert.Throws<RpcException>(
            () => new MessageWriter(10).Write(marshaller, "12345678901", target, null));

        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
        Assert.Equal(0, target.WrittenCount);
    }

    [Fact]
    public void A_marshaller_that_does_not_complete_is_refused()
    {
        var marshaller = new Marshaller<string>((_, context) => context.GetBufferWriter(), _ => "");

        Assert.Throws<InvalidOperationException>(
            () => new MessageWriter(null).Write(marshaller, "a", new ArrayBufferWriter<byte>(), null));
    }

    [Fact]
    public void The_prefix_is_a_flag_and_a_big_endian_length()
    {
        Assert.Equal("00000000036162" + "63", Convert.ToHexStringLower(Frame("abc", null)));
    }

    [Fact]
    public void A_marshaller_of_contexts_also_offers_the_form_over_arrays()
    {
        var marshaller = new Marshaller<string>(Text.ContextualSerializer, Text.ContextualDeserializer);

        Assert.Equal("abc", marshaller.Deserializer(marshaller.Serializer("abc")));
    }

    private static byte[] Frame(string message, CompressionLevel? gzip)
    {
        var target = new ArrayBufferWriter<byte>();
        new MessageWriter(null).Write(Text, message, target, gzip);
        return target.WrittenSpan.ToArray();
    }

    private static async Task<string?> ReadOneAsync(byte[] framed, int? bytesMax, string? encoding)
    {
        var reader = new MessageReader(PipeReader.Create(new ReadOnlySequence<byte>(framed)), bytesMax, encoding);
        return await reader.ReadAsync(Text, CancellationToken.None);
    }

    private static async Task WriteInStepsAsync(PipeWriter writer, byte[] bytes, int step)
    {
        for (var start = 0; start < bytes.Length; start += step)
        {
            await writer.WriteAsync(bytes.AsMemory(start, Math.Min(step, bytes.Length - start)));
        }

        await writer.CompleteAsync();
    }
}
#endif
