namespace Dledger.Server.Options;

/// <summary>How the text of an option is read.</summary>
public enum OptionKind
{
    /// <summary>Any text that is not blank.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Switch,

    /// <summary>Bytes: a whole number, with <c>KiB</c>, <c>MiB</c> or <c>GiB</c> behind it if wanted.</summary>
    Size,

    /// <summary>A time: a number with <c>ms</c>, <c>s</c>, <c>m</c> or <c>h</c> behind it.</summary>
    Duration,

    /// <summary>One word of a list.</summary>
    Choice,
}
