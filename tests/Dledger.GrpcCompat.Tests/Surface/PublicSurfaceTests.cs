#if !OFFICIAL_GRPC
using System.Reflection;

namespace Dledger.GrpcCompat.Tests.Surface;

/// <summary>
/// The public surface holds only members of the official packages. The golden file lists it, so that a new member shows
/// up in a review, where it is compared with the official one.
/// </summary>
public sealed class PublicSurfaceTests
{
    [Fact]
    public void The_public_surface_is_the_one_in_the_golden_file()
    {
        Assembly[] assemblies = [typeof(
            Grpc.Core.Status).Assembly, typeof(Grpc.AspNetCore.Server.GrpcServiceOptions).Assembly];
        var actual = string.Join('\n', assemblies.SelectMany(SurfaceText.Describe)) + '\n';
        var golden = Path.Combine(AppContext.BaseDirectory, "Golden", "public-surface.txt");
        var written = Path.Combine(AppContext.BaseDirectory, "public-surface.actual.txt");
        File.WriteAllText(written, actual);

        Assert.True(
            File.ReadAllText(golden) == actual,
            "The public surface has changed. If the official packages have these members too, copy "
            + $"{written} over Golden/public-surface.txt.");
    }

    [Fact]
    public void No_type_of_our_own_name_is_public()
    {
        var own = typeof(Grpc.Core.Status).Assembly.GetExportedTypes()
            .Concat(typeof(Grpc.AspNetCore.Server.GrpcServiceOptions).Assembly.GetExportedTypes())
            .Where(type => type.Namespace!.StartsWith("Dledger", StringComparison.Ordinal));

        Assert.Empty(own);
    }
}
#endif
