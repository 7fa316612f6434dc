using System.Net.Sockets;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Workers;
using Grpc.Core;

namespace Dledger.Chaos.Tests;

/// <summary>Only what certainly had no effect is a failure; everything else that is no success is unknown.</summary>
public sealed class ClassificationTests
{
    [Theory]
    [InlineData(Code.Ok, "ok")]
    [InlineData(Code.HaNotAvailable, "fail")]
    [InlineData(Code.TooManyRequests, "fail")]
    [InlineData(Code.TopicNotFound, "fail")]
    [InlineData(Code.InvalidReceiptHandle, "fail")]
    [InlineData(Code.SlavePersistenceTimeout, "info")]
    [InlineData(Code.MasterPersistenceTimeout, "info")]
    [InlineData(Code.ProxyTimeout, "info")]
    [InlineData(Code.InternalServerError, "info")]
    public void An_answer_means_what_the_protocol_says(Code code, string phase) =>
        Assert.Equal(phase, CallEnd.Of(new Apache.Rocketmq.V2.Status { Code = code }).Phase);

    [Theory]
    [InlineData(Code.Ok, "ok")]
    [InlineData(Code.InvalidReceiptHandle, "fail")]
    [InlineData(Code.HaNotAvailable, "info")]
    [InlineData(Code.TooManyRequests, "info")]
    public void An_ack_that_found_no_leader_in_the_end_may_have_been_done(Code code, string phase) =>
        Assert.Equal(phase, CallEnd.OfReceipt(new Apache.Rocketmq.V2.Status { Code = code }).Phase);

    [Fact]
    public void A_refused_connection_has_carried_nothing()
    {
        var refused = new HttpRequestException("", new SocketException((int)SocketError.ConnectionRefused));
        var exception = new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "", refused));

        Assert.Equal("fail", CallEnd.Of(exception).Phase);
    }

    [Theory]
    [InlineData(SocketError.ConnectionReset)]
    [InlineData(SocketError.TimedOut)]
    [InlineData(SocketError.HostUnreachable)]
    public void Any_other_fault_of_the_connection_is_unknown(SocketError error)
    {
        var broken = new HttpRequestException("", new SocketException((int)error));

        Assert.Equal("info", CallEnd.Of(new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "", broken))).Phase);
    }

    [Theory]
    [InlineData(StatusCode.DeadlineExceeded)]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.Internal)]
    public void A_broken_call_is_unknown(StatusCode code) =>
        Assert.Equal("info", CallEnd.Of(new RpcException(new Grpc.Core.Status(code, ""))).Phase);
}
