<?php
/**
 * The export: what people decided, one JSON document a line, as `hamlet train`, `evaluate` and `import` read it. WordPress's own export leaves
 * spam out. By default only what is known to be a person's word: decided while this plugin was here, or told to Akismet by a moderator.
 */

namespace Hamlet;

defined( 'ABSPATH' ) || exit;

const EXPORT_AT_ONCE = 500;

/** The label of a comment, or an empty text. */
function label( object $comment, bool $as_it_stands ): string {
	$person = (string) ( record( (int) $comment->comment_ID )->person ?? '' );
	$told   = (string) get_comment_meta( (int) $comment->comment_ID, 'akismet_user_result', true );
	$labels = array( 'publish' => 'ham', 'spam' => 'spam', 'true' => 'spam', 'false' => 'ham' );
	if ( '' !== $person ) {
		return $labels[ $person ] ?? '';
	}
	if ( isset( $labels[ $told ] ) ) {
		return $labels[ $told ];
	}
	return $as_it_stands ? ( array( '1' => 'ham', 'spam' => 'spam' )[ $comment->comment_approved ] ?? '' ) : '';
}

/** Lines, oldest comment first. */
function lines( bool $as_it_stands ): \Generator {
	global $wpdb;
	$last = 0;
	do {
		$sql      = "SELECT * FROM $wpdb->comments WHERE comment_ID > %d AND comment_type IN ('', 'comment', 'trackback', 'pingback') ORDER BY comment_ID LIMIT %d";
		$comments = $wpdb->get_results( $wpdb->prepare( $sql, $last, EXPORT_AT_ONCE ) );
		foreach ( $comments as $comment ) {
			$last  = (int) $comment->comment_ID;
			$label = label( $comment, $as_it_stands );
			if ( '' === $label ) {
				continue;
			}
			$line = array(
				'id'      => $comment->comment_ID,
				'label'   => $label,
				'author'  => $comment->comment_author,
				'email'   => $comment->comment_author_email,
				'url'     => $comment->comment_author_url,
				'date'    => mysql_to_rfc3339( $comment->comment_date_gmt ) . 'Z',
				'content' => $comment->comment_content,
				'group'   => 'post-' . $comment->comment_post_ID,
			);
			yield wp_json_encode( $line, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE ) . "\n";
		}
	} while ( EXPORT_AT_ONCE === count( $comments ) );
}

function show_export_form(): void {
	if ( ! current_user_can( 'export' ) ) {
		return;
	}
	?>
	<h2>Training data</h2>
	<form method="post" action="<?php echo esc_url( admin_url( 'admin-post.php' ) ); ?>">
		<input type="hidden" name="action" value="hamlet_export">
		<?php wp_nonce_field( 'hamlet_export' ); ?>
		<label><input type="checkbox" name="as_it_stands" value="1"> Also what stands approved or in the spam folder, whoever put it there.
			Only if people looked through both: a filter's own word teaches nothing.</label>
		<?php submit_button( 'Download what people decided (JSONL)', 'secondary' ); ?>
	</form>
	<?php
}

add_action(
	'admin_post_hamlet_export',
	static function (): void {
		if ( ! current_user_can( 'export' ) || ! current_user_can( 'moderate_comments' ) ) {
			wp_die( 'You may not export comments.', '', array( 'response' => 403 ) );
		}
		check_admin_referer( 'hamlet_export' );
		nocache_headers();
		header( 'Content-Type: application/x-ndjson; charset=utf-8' );
		header( 'Content-Disposition: attachment; filename="comments.jsonl"' );
		foreach ( lines( ! empty( $_POST['as_it_stands'] ) ) as $line ) {
			echo $line; // phpcs:ignore WordPress.Security.EscapeOutput
		}
		exit;
	}
);

if ( defined( 'WP_CLI' ) && WP_CLI ) {
	/** `wp hamlet export FILE [--as-it-stands]`: what people decided, as JSONL; `-` is stdout. */
	\WP_CLI::add_command(
		'hamlet export',
		static function ( array $arguments, array $flags ): void {
			$file = '-' === ( $arguments[0] ?? '-' ) ? 'php://stdout' : $arguments[0];
			$out  = fopen( $file, 'w' );
			if ( ! $out ) {
				\WP_CLI::error( "cannot write $file" );
			}
			foreach ( lines( isset( $flags['as-it-stands'] ) ) as $line ) {
				fwrite( $out, $line );
			}
		}
	);
	/** `wp hamlet resend`: sends at once what waits. */
	\WP_CLI::add_command( 'hamlet resend', __NAMESPACE__ . '\resend' );
}
