using System.Runtime.CompilerServices;
using System.Text;

namespace Dledger.Testing.Golden;

/// <summary>
/// Compares bytes with a hex dump beside the test. Golden files of a released format are never edited.
/// </summary>
/// <remarks>
/// A dump has 16 bytes per line after their offset; '#' begins a comment line and "*" stands for a run of zero lines.
/// With the environment variable DLEDGER_WRITE_GOLDEN=1 a missing file is written, an existing one never.
/// </remarks>
public static class GoldenFile
{
    private const int BytesPerLine = 16;

    /// <summary>Fails with both dumps when the bytes differ from the file Golden/<paramref name="name"/>.</summary>
    public static void Check(string name, ReadOnlySpan<byte> actual, [CallerFilePath] string testFile = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(testFile)!, "Golden", name);
        var dump = Dump(actual);
        if (!File.Exists(path))
        {
            if (Environment.GetEnvironmentVariable("DLEDGER_WRITE_GOLDEN") != "1")
            {
                throw new GoldenMismatchException($"{name} is missing; the bytes are\n{dump}");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, dump);
        }

        var expected = StripComments(File.ReadAllText(path));
        if (expected != dump)
        {
            throw new GoldenMismatchException($"{name} differs; expected\n{expected}\nbut the bytes are\n{dump}");
        }
    }

    /// <summary>Reads the bytes of a golden file back, for tests that older files still open.</summary>
    public static byte[] Read(string name, int length, [CallerFilePath] string testFile = "")
    {
        var bytes = new byte[length];
        var path = Path.Combine(Path.GetDirectoryName(testFile)!, "Golden", name);
        foreach (var line in StripComments(File.ReadAllText(path)).Split('\n'))
        {
            if (line.Length > 0 && line != "*")
            {
                var offset = Convert.ToInt32(line[..8], 16);
                Convert.FromHexString(line[9..].Replace(" ", "")).CopyTo(bytes, offset);
            }
        }

        return bytes;
    }

    private static string Dump(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        var inZeros = false;
        for (var offset = 0; offset < bytes.Length; offset += BytesPerLine)
        {
            var line = bytes.Slice(offset, Math.Min(BytesPerLine, bytes.Length - offset));
            if (!line.ContainsAnyExcept((byte)0))
            {
                text.Append(inZeros ? "" : "*\n");
                inZeros = true;
                continue;
            }

            inZeros = false;
            text.Append($"{offset:x8}");
            foreach (var value in line)
            {
                text.Append($" {value:x2}");
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string StripComments(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        return string.Join('\n', lines.Where(line => !line.StartsWith('#')));
    }
}
