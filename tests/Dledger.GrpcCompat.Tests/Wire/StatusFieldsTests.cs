#if !OFFICIAL_GRPC
using Dledger.GrpcCompat.Wire;
using Grpc.Core;

namespace Dledger.GrpcCompat.Tests.Wire;

public sealed class StatusFieldsTests
{
    [Theory]
    [InlineData("0", StatusCode.OK)]
    [InlineData("16", StatusCode.Unauthenticated)]
    [InlineData("17", StatusCode.Unknown)]
    [InlineData("-1", StatusCode.Unknown)]
    [InlineData("", StatusCode.Unknown)]
    [InlineData("OK", StatusCode.Unknown)]
    [InlineData("99999999999", StatusCode.Unknown)]
    public void A_status_that_is_not_defined_is_unknown(string text, StatusCode code)
    {
        Assert.Equal(code, StatusFields.Parse(text, null).StatusCode);
    }

    [Theory]
    [InlineData("application/grpc", true)]
    [InlineData("Application/GRPC+proto", true)]
    [InlineData("application/grpc;charset=utf-8", true)]
    [InlineData("application/grpc-web", false)]
    [InlineData("application/json", false)]
    [InlineData(null, false)]
    public void The_content_type_is_that_of_grpc_with_any_subtype(string? value, bool accepted)
    {
        Assert.Equal(accepted, HeaderNames.IsGrpcContentType(value));
    }
}
#endif
